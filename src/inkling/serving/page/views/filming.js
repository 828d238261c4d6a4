// The camera with its verdict beside it.

import { predict } from "../api.js";
import { Camera } from "../common/camera.js";
import { element } from "../common/elements.js";
import { spoken } from "../common/words.js";
import { announce, button } from "../dom.js";
import { still } from "../still.js";
import { toast } from "../toast.js";
import { describe } from "../verdict.js";

export class Filming {
  constructor({ onKeep, onEnd }) {
    this.video = element("video", { playsinline: true, "aria-label": "What the camera sees" });
    this.video.muted = true;
    this.live = element("div", { class: "verdict" });
    this.rate = element("p", { class: "quiet small rate" });
    this.stopButton = button("Stop", () => this.camera.stop());
    const keep = button("Keep this one", async () => onKeep(await still(this.video, `camera ${new Date().toLocaleTimeString("en-GB")}.jpg`)), { class: "primary" });
    this.root = element("section", { class: "camera", "aria-label": "Camera", hidden: true },
      element("div", { class: "view" }, this.video, element("div", { class: "on-view" }, keep, this.stopButton)), this.live, this.rate);
    this.camera = new Camera(this.video, {
      onFrame: async () => this.#judge(await still(this.video, "camera.jpg")),
      onStop: (problem) => {
        const hadFocus = this.root.contains(document.activeElement);
        this.root.hidden = true;
        this.input.hidden = false;
        if (problem) toast(problem, { problem: true });
        if (hadFocus) onEnd();
      },
    });
  }

  async start(input) {
    this.input = input;
    this.times = [];
    this.heard = "";
    this.live.replaceChildren();
    this.rate.textContent = "";
    this.root.hidden = false;
    this.input.hidden = true;
    this.stopButton.focus();
    try {
      await this.camera.start();
    } catch (error) {
      this.camera.stop(error.message);
      this.root.hidden = true;
      this.input.hidden = false;
      toast(error.message, { problem: true });
    }
  }

  stop() {
    this.camera.stop();
  }

  async #judge(file) {
    const verdict = (await predict([file], { top: 4 })).predictions[0];
    this.live.replaceChildren(...describe(verdict, { nearest: false }));
    this.live.classList.toggle("unknown", Boolean(verdict.unknown));
    const what = verdict.unknown ? "unknown" : verdict.label;
    if (what !== this.heard) announce(spoken("Camera", verdict));
    this.heard = what;
    this.times = [...this.times.slice(-10), performance.now()];
    const { times } = this;
    if (times.length > 2) this.rate.textContent = `${((1000 * (times.length - 1)) / (times.at(-1) - times[0])).toFixed(1)} verdicts a second`;
  }
}
