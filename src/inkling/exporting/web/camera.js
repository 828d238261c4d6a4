// The camera: one frame after another is handed to `onFrame`, the next as soon as the one before is done.

import { NO_CAMERA_HERE, cameraProblem } from "./words.js";

export class Camera {
  #stream = null;

  constructor(video, { onFrame, onStop }) {
    this.video = video;
    this.onFrame = onFrame;
    this.onStop = onStop;
  }

  get runs() {
    return this.#stream !== null;
  }

  // Throws an Error whose message is for people.
  async start() {
    if (!navigator.mediaDevices) throw new Error(NO_CAMERA_HERE);
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
      this.#stream.getVideoTracks()[0].onended = () => this.stop("The camera was switched off.");
      this.video.srcObject = this.#stream;
      await this.video.play();
    } catch (error) {
      this.#release();
      throw new Error(cameraProblem(error));
    }
    this.#look();
  }

  stop(problem = "") {
    if (!this.runs) return;
    this.#release();
    this.onStop(problem);
  }

  async #look() {
    const stream = this.#stream;
    while (this.#stream === stream) {
      await nextFrame(this.video);
      if (this.#stream !== stream) return;
      try {
        await this.onFrame(await createImageBitmap(this.video));
      } catch (error) {
        this.stop(error.message);
      }
    }
  }

  #release() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
    this.video.srcObject = null;
  }
}

// Also wakes where no frame comes any more, such as in a page that is hidden.
function nextFrame(video) {
  return new Promise((resolve) => {
    setTimeout(resolve, 1000);
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(resolve);
    else requestAnimationFrame(resolve);
  });
}
