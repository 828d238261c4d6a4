// Classes and their pictures, and how well they are distinguished on pictures that were left out.

import { get, patch, remove } from "../api.js";
import { Camera } from "../common/camera.js";
import { element } from "../common/elements.js";
import { complain, decide } from "../decisions.js";
import { ask } from "../dialogs.js";
import { announce, button, empty, keepFocus, nameField, stored } from "../dom.js";
import { additions } from "../examples.js";
import { chosen, dropped, inlet, picturesIn, progressBar } from "../pictures.js";
import { still } from "../still.js";
import { toast } from "../toast.js";
import { counted, listed, measured } from "../words.js";
import { figuresOf } from "./figures.js";
import { takeaway } from "./takeaway.js";

const EXEMPLARS = 7; // with the number of the others, two rows of a card
const BURST = 12;
const BURST_MS = 250;

export class ClassesView {
  title = "Classes";
  #classes = [];
  #begun = [];
  #before = null; // how well it did before the latest change
  #now = null;
  #renamed = ""; // by what name the class is called now that was renamed last

  constructor({ state }) {
    this.state = state;
    this.told = element("p", { class: "quiet" });
    this.figures = element("section", { class: "figures", "aria-label": "How well it does", hidden: true });
    this.work = element("div");
    this.input = element("div");
    this.filming = element("section", { class: "camera", "aria-label": "Camera", hidden: true });
    this.cards = element("div", { class: "cards" });
    this.away = element("section", { "aria-label": "Take it along" });
    this.root = element("div", {}, element("div", { class: "head" }, element("h1", {}, "Classes"), this.told),
      this.figures, this.input, this.work, this.filming, this.cards, this.away);
  }

  enter() {
    this.scope = new AbortController();
    const mayWrite = this.state()?.may_write;
    this.input.replaceChildren(...(mayWrite ? [this.#newClass(), inlet({
      title: "Or drop folders here, one for each class", primary: null, folders: true, scope: this.scope.signal,
      hint: "The name of a folder is that of its class.",
      onPictures: (pictures) => this.#take(pictures),
    })] : []));
    return this.memoryChanged();
  }

  leave() {
    this.scope.abort();
    this.#endBurst?.();
  }

  #endBurst = null;

  async memoryChanged() {
    try {
      const { classes, begun = [] } = await get(`/v1/classes?exemplars=${EXEMPLARS}`);
      [this.#classes, this.#begun] = [classes, begun];
      this.#show();
      const mayTake = classes.length > 0 && Boolean(this.state()?.may_write);
      if (mayTake !== Boolean(this.away.firstElementChild)) this.away.replaceChildren(...(mayTake ? [takeaway(this.state)] : []));
      if (classes.length) await this.#showFigures();
      else this.figures.hidden = true;
    } catch (error) {
      complain(error);
    }
  }

  #show() {
    const n = this.#classes.length;
    if (n) this.told.textContent = `${counted(n, "class", "classes")} from ${counted(this.#classes.reduce((sum, one) => sum + one.images, 0), "picture")}.`;
    else if (this.#begun.length) this.told.textContent = `${listed(this.#begun.map((one) => one.name))} waits for a second class: one alone cannot be distinguished from anything.`;
    else this.told.textContent = "It knows nothing yet. Give it pictures of two classes, a handful of each; more can come later.";
    const at = [...this.cards.children].findIndex((card) => card.contains(document.activeElement));
    keepFocus(this.cards, () => this.cards.replaceChildren(...[...this.#begun, ...this.#classes].map((one) => this.#card(one))),
      () => (this.#cardOf(this.#renamed) ?? this.cards.children[Math.min(at, this.cards.children.length - 1)])?.querySelector("input, button"));
  }

  #cardOf(name) {
    return this.cards.querySelector(`[data-class="${CSS.escape(name)}"]`);
  }

  async #showFigures() {
    this.figures.hidden = false;
    this.figures.setAttribute("aria-busy", "true");
    if (!this.#now) this.figures.replaceChildren(element("p", { class: "quiet" }, "Measuring how well it does"));
    const learned = await get("/v1/state").finally(() => this.figures.removeAttribute("aria-busy"));
    if (this.#now?.memory_version !== learned.memory_version) [this.#before, this.#now] = [this.#now, learned];
    this.figures.replaceChildren(...figuresOf(this.#now, this.#before));
    for (const one of learned.classes) {
      this.#cardOf(one.name)?.querySelector(".needs").replaceChildren(...needsOf(one));
    }
  }

  // Pictures may be chosen before their class has a name: they are kept until it is typed.
  #newClass() {
    let chosenFiles = [];
    const add = async (name) => {
      const files = chosenFiles;
      keep([]);
      input.value = "";
      if (await this.#add(name, files)) return;
      keep(files);
      input.value ||= name;
    };
    const { field, input, required } = nameField({ label: "Name of a new class", names: [], placeholder: "name of a new class", onenter: (name) => (chosenFiles.length ? add(name) : files.querySelector("input").click()) });
    const waiting = element("p", { class: "small waiting", role: "status" });
    const addThem = button("Add them", () => {
      const name = required("Type what is on these pictures.");
      if (name) add(name);
    }, { hidden: true });
    const keep = (files) => {
      chosenFiles = files;
      addThem.hidden = !files.length;
      waiting.textContent = files.length ? `${counted(files.length, "picture")} chosen. Type what ${files.length === 1 ? "it shows" : "they show"}, and press Enter.` : "";
    };
    const files = this.#fileButton("Choose pictures", (found) => {
      keep(found.map((one) => one.file));
      if (input.value.trim()) add(input.value.trim());
      else input.focus();
    }, { kind: "primary" });
    return element("div", { class: "new-class", role: "group", "aria-label": "New class" }, field, files,
      button("Use the camera", () => {
        const name = required("Type what the camera is to see first.");
        if (name) {
          input.value = "";
          this.#burst(name);
        }
      }), addThem, waiting);
  }

  #fileButton(text, onPictures, { kind = "", label = text } = {}) {
    const input = element("input", { type: "file", multiple: true, accept: "image/*", "aria-label": label });
    input.addEventListener("change", () => {
      const pictures = picturesIn(chosen(input.files));
      input.value = "";
      if (pictures.length) onPictures(pictures);
    });
    return element("label", { class: `button ${kind}` }, input, text);
  }

  #card(one) {
    const isKnown = one.id !== undefined;
    const address = isKnown ? `/v1/classes/${one.id}` : `/v1/classes/begun/${encodeURIComponent(one.name)}`;
    const pictures = one.exemplars.map((image) => element("li", {}, stored(image)));
    const more = one.images - pictures.length;
    const card = element("article", { class: "card", "data-class": one.name, "aria-label": `Class ${one.name}` },
      element("header", {}, element("h2", { title: one.name }, one.name), element("span", { class: "quiet small" }, counted(one.images, "picture"))),
      element("ul", { class: "thumbs" }, pictures, more > 0 && element("li", { class: "rest quiet" }, `+${more}`)),
      element("p", { class: "needs quiet small" }, isKnown ? "" : "Waits for a second class, and is learned with it."));
    if (!this.state()?.may_write) return card;
    card.append(element("div", { class: "others of-class" },
      this.#fileButton("Add", (found) => this.#add(one.name, found.map((each) => each.file)), { kind: "plain", label: `Add pictures to ${one.name}` }),
      button("Camera", () => this.#burst(one.name), { class: "plain", "aria-label": `Add to ${one.name} by camera` }),
      button("Rename", () => this.#rename(one, address), { class: "plain", "aria-label": `Rename ${one.name}` }),
      button("Remove", () => decide(`“${one.name}” was removed.`, () => remove(address)), { class: "plain danger", "aria-label": `Remove ${one.name}` })));
    this.#takesFiles(card, one.name);
    return card;
  }

  #takesFiles(card, name) {
    const carries = (event) => event.dataTransfer.types.includes("Files");
    card.ondragenter = card.ondragover = (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      event.stopPropagation();
      card.classList.add("over");
    };
    card.ondragleave = (event) => !card.contains(event.relatedTarget) && card.classList.remove("over");
    card.ondrop = async (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      event.stopPropagation();
      card.classList.remove("over");
      this.#add(name, picturesIn(await dropped(event.dataTransfer)).map((one) => one.file));
    };
  }

  async #take(pictures) {
    const folders = Map.groupBy(pictures, (one) => one.folder);
    const loose = folders.get("") ?? [];
    folders.delete("");
    if (loose.length) {
      const name = await ask({ title: `What is on ${loose.length === 1 ? "this picture" : `these ${loose.length} pictures`}?`, yes: "Add", field: { label: "Name of the class" } });
      if (name) folders.set(name, loose);
    }
    for (const [name, files] of folders) {
      if (!(await this.#add(name, files.map((one) => one.file)))) return;
    }
  }

  // False where it was cancelled, or the service refused.
  async #add(name, files) {
    if (!files.length) return true;
    const bar = progressBar(`Adding to ${name}`);
    this.work.replaceChildren(bar.shown);
    const ways = additions(this.#classes, name, files);
    let done = 0, skipped = 0;
    const told = (events) => {
      const fate = events.some((one) => one.memory_version) ? "learned" : "taken; they are learned with a second class";
      return `${counted(files.length - skipped, "picture")} of “${name}” ${fate}${skipped ? `, ${skipped} unreadable` : ""}.`;
    };
    const events = await decide(told, ...ways.map((way) => async () => {
      bar.signal.throwIfAborted();
      const event = await way();
      done += 1;
      skipped += event.skipped?.length ?? 0;
      bar.show(done, ways.length);
      return event;
    }));
    empty(this.work);
    return events !== null;
  }

  async #rename(one, address) {
    const name = await ask({ title: `Rename “${one.name}”`, yes: "Rename", field: { label: "New name", value: one.name } });
    this.#renamed = name ?? "";
    if (name && name !== one.name) await decide(`“${one.name}” is “${name}” now.`, () => patch(address, { name }));
  }

  // Pictures one after another as long as the person wants; they count as few, being alike.
  async #burst(name) {
    this.#endBurst?.();
    const video = element("video", { playsinline: true, "aria-label": "What the camera sees" });
    video.muted = true;
    const camera = new Camera(video);
    const taken = [];
    const said = element("p", {}, `Take pictures of “${name}”: turn it, come nearer, change what is behind it. Those of one burst that hardly differ count as one.`);
    const count = element("p", { class: "quiet", role: "status" });
    const opener = document.activeElement;
    let isTaking = false;
    const take = button(`Take ${BURST}`, async () => {
      if (isTaking) return;
      isTaking = true;
      for (let k = 0; k < BURST && this.#endBurst; k += 1) {
        taken.push(await still(video, `${name} ${Date.now()}.jpg`));
        count.textContent = `${counted(taken.length, "picture")} taken`;
        await new Promise((resolve) => setTimeout(resolve, BURST_MS));
      }
      isTaking = false;
    }, { class: "primary", disabled: true });
    const finished = new Promise((resolve) => {
      this.#endBurst = () => {
        this.#endBurst = null;
        camera.stop();
        const hadFocus = this.filming.contains(document.activeElement);
        this.filming.hidden = true;
        if (hadFocus && opener.isConnected) opener.focus();
        resolve();
      };
    });
    this.filming.replaceChildren(element("div", { class: "view" }, video),
      element("div", { class: "burst" }, said, count, element("div", { class: "buttons" }, take, button("Done", () => this.#endBurst?.()))));
    this.filming.hidden = false;
    try {
      await camera.start();
      take.disabled = false;
      take.focus({ preventScroll: true });
      this.filming.scrollIntoView({ block: "center" }); // what the camera sees, not only its button
    } catch (error) {
      this.#endBurst?.();
      toast(error.message, { problem: true });
    }
    await finished;
    announce(`${counted(taken.length, "picture")} taken`);
    await this.#add(name, taken);
  }
}

function needsOf({ images, pictures, recall, needs_more: needsMore }) {
  const parts = [];
  if (pictures < images) parts.push(`What is of one source counts once: ${counted(pictures, "source")}.`);
  if (recall !== null) parts.push(`${measured(recall)} are found when left out.`);
  return [...parts.map((text) => `${text} `), needsMore && element("strong", { class: "more-needed" }, "Needs more pictures.")].filter(Boolean);
}
