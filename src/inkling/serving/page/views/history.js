// History: everything that was done to the memory, by whom, and the way back.

import { element } from "../common/elements.js";
import { complain, history, takeBack, undoable } from "../decisions.js";
import { ask } from "../dialogs.js";
import { button, keepFocus } from "../dom.js";
import { inWords } from "../said.js";
import { ago, counted } from "../words.js";

const SHOWN = 500;

export class HistoryView {
  title = "History";

  constructor({ state }) {
    this.state = state;
    this.told = element("p", { class: "quiet" });
    this.list = element("ol", { class: "events" });
    this.root = element("div", {}, element("div", { class: "head" }, element("h1", {}, "History"), this.told), this.list);
  }

  enter() {
    return this.memoryChanged();
  }

  async memoryChanged() {
    if (!this.state()?.fitted) {
      this.told.textContent = "Nothing was done yet.";
      this.list.replaceChildren();
      return;
    }
    try {
      this.#show(await history(SHOWN));
    } catch (error) {
      complain(error);
    }
  }

  #show({ n, events }) {
    this.told.textContent = events.length < n ? `${counted(n, "entry", "entries")}; the latest ${events.length} are shown.` : `${counted(n, "entry", "entries")}, the latest first.`;
    const undone = new Map(events.filter((one) => one.undoes !== null).map((one) => [one.undoes, one.event]));
    const back = this.state()?.may_write ? undoable(events).map((one) => one.event) : [];
    keepFocus(this.list, () => this.list.replaceChildren(...events.toReversed().map((one) => this.#row(one, events, undone, back))), () => this.list.querySelector("button"));
  }

  #row(event, events, undone, back) {
    const said = inWords(event, events);
    const at = back.indexOf(event.event);
    const by = event.arguments.by;
    const who = [by && (by === "local" ? "from this machine" : `by ${by}`), `version ${event.memory_version}`].filter(Boolean).join(" · ");
    return element("li", { class: [undone.has(event.event) && "undone", event.verb === "undo" && "is-undo"].filter(Boolean).join(" ") },
      element("span", { class: "number", "aria-hidden": "true" }, event.event),
      element("div", { class: "what" }, element("p", {}, said),
        element("p", { class: "quiet small" }, element("time", { datetime: event.time, title: new Date(event.time).toLocaleString("en-GB") }, ago(event.time)), ` · ${who}`,
          undone.has(event.event) && ` · taken back later, by entry ${undone.get(event.event)}`)),
      at === 0 && button("Undo", () => takeBack([event.event]), { "aria-label": `Undo: ${said}` }),
      at > 0 && button("Undo back to here", () => this.#undoTo(back.slice(0, at + 1)), { class: "plain", "aria-label": `Undo back to: ${said}` }));
  }

  async #undoTo(events) {
    const yes = await ask({ title: `Take back ${counted(events.length, "decision")}?`, text: "They are taken back one after the other, the latest first, up to this one and with it.", yes: "Take back" });
    if (yes) await takeBack(events);
  }
}
