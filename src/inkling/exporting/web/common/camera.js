// The camera: `onFrame` is called for one frame after another, for the next as soon as it is done with the one before.

import { NO_CAMERA_HERE, cameraProblem } from "./words.js";

const WANTED = { video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false };

export class Camera {
  #run = null; // what stands for the time from one start to its stop
  #stream = null;

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

  async #look(run) {
    while (this.#run === run) {
      await nextFrame(this.video);
      if (this.#run !== run) return;
      try {
        await this.onFrame();
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
