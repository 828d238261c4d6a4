// The camera: one frame after another is handed to `onFrame`, the next as soon as the one before is done.

import { NO_CAMERA_HERE, cameraProblem } from "./words.js";

const WANTED = { video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false };
const LONGEST_SIDE = 640;
const QUALITY = 0.9;

export class Camera {
  #run = null; // what stands for the time from one start to its stop
  #stream = null;
  #canvas = document.createElement("canvas");

  constructor(video, { onFrame = null, onStop = () => {} } = {}) {
    Object.assign(this, { video, onFrame, onStop });
  }

  // Throws an Error whose message is for people.
  async start() {
    if (!navigator.mediaDevices) throw new Error(NO_CAMERA_HERE);
    const run = {};
    this.#run = run;
    try {
      const stream = await navigator.mediaDevices.getUserMedia(WANTED);
      if (this.#run !== run) return end(stream); // stopped while the browser asked for permission
      this.#stream = stream;
      stream.getVideoTracks()[0].onended = () => this.stop("The camera was switched off.");
      this.video.srcObject = stream;
      await this.video.play();
    } catch (error) {
      if (this.#run !== run) return;
      this.#release();
      throw new Error(cameraProblem(error));
    }
    if (this.onFrame) this.#look(run);
  }

  stop(problem = "") {
    if (!this.#run) return;
    this.#release();
    this.onStop(problem);
  }

  // What it sees now, as a file.
  async still(name) {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) throw new Error("The camera gives no picture yet.");
    const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
    [this.#canvas.width, this.#canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    this.#canvas.getContext("2d", { alpha: false }).drawImage(this.video, 0, 0, this.#canvas.width, this.#canvas.height);
    const blob = await new Promise((resolve) => this.#canvas.toBlob(resolve, "image/jpeg", QUALITY));
    return new File([blob], name, { type: "image/jpeg" });
  }

  async #look(run) {
    while (this.#run === run) {
      await nextFrame(this.video);
      if (this.#run !== run) return;
      try {
        await this.onFrame(await this.still("camera.jpg"));
      } catch (error) {
        if (this.#run === run) this.stop(error.message);
      }
    }
  }

  #release() {
    if (this.#stream) end(this.#stream);
    this.#run = this.#stream = this.video.srcObject = null;
  }
}

function end(stream) {
  stream.getTracks().forEach((track) => track.stop());
}

// Also wakes where no frame comes any more, such as in a page that is hidden.
function nextFrame(video) {
  return new Promise((resolve) => {
    setTimeout(resolve, 1000);
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve);
    else requestAnimationFrame(resolve);
  });
}
