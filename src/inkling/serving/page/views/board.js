// The board: a card for each group, pictures that can be moved, and the classes that take them.

import { post } from "../api.js";
import { element } from "../common/elements.js";
import { announce, button, choiceOf, fileName, keepFocus, nameField, stored } from "../dom.js";
import { counted } from "../words.js";

const SHOWN_PICTURES = 12;
const SHOWN_NAMES = 5;
const CARD = "application/x-inkling-group";
const IMAGES = "application/x-inkling-images";

export class Board {
  #picked = new Set(); // content hashes of pictures to move
  #groups = [];
  #numbers = new Map(); // by what number a group is called here, whatever number the memory has for it
  #classes = [];
  #open = new Set(); // groups whose pictures are all shown
  #lastPick = ["", 0]; // where a picture was picked last: of which group, and which of it

  constructor({ onDecision, mayWrite }) {
    Object.assign(this, { onDecision, mayWrite });
    this.cards = element("div", { class: "cards", onkeydown: (event) => this.#key(event) });
    this.classRail = element("div", { class: "rail by-mouse" });
    this.loose = element("section", { class: "loose", "aria-labelledby": "loose-title", hidden: true });
    this.mover = element("div", { class: "mover", role: "group", "aria-label": "Picked pictures", hidden: true });
    this.keys = element("p", { class: "quiet small by-mouse" }, "Drag a group onto another to merge them, a picture to move it. Keys on a group: ",
      ...keysIn(["A accept", "S split", "D discard", "M merge"]), "; once pictures are picked, on a picture: ", ...keysIn(["M move", "N new class"]), ".");
    this.root = element("div", { onkeydown: (event) => this.#pickKey(event) }, this.keys, this.classRail, this.cards, this.loose, this.mover);
  }

  show({ proposals, loose, n_loose: nLoose }, classes) {
    const typed = new Map([...this.cards.querySelectorAll("[data-group]")].map((card) => [Number(card.dataset.group), card.querySelector("input")?.value ?? ""]));
    this.#groups = proposals;
    if (!proposals.some((one) => this.#numbers.has(one.id))) this.#numbers.clear(); // all are new: count from one again
    for (const { id } of proposals) this.#numbers.set(id, this.#numbers.get(id) ?? this.#numbers.size + 1);
    this.#classes = classes;
    const there = new Set([...proposals.flatMap((one) => one.pictures), ...loose].map((one) => one.id));
    this.#picked = new Set([...this.#picked].filter((id) => there.has(id)));
    this.keys.hidden = !there.size || !this.mayWrite();
    const at = [...this.cards.children].findIndex((card) => card.contains(document.activeElement));
    keepFocus(this.root, () => {
      this.cards.replaceChildren(...proposals.map((one) => this.#card(one, typed.get(one.id))));
      this.#showRail();
      this.#showLoose(loose, nLoose);
      this.#showMover();
    }, () => (at < 0 ? this.#nearLastPick() : this.cards.children[Math.min(at, proposals.length - 1)]));
  }

  // What stands now where a picture was picked last.
  #nearLastPick() {
    const [of, place] = this.#lastPick;
    const around = this.root.querySelectorAll(`[data-of="${of}"] .pick`);
    return around[Math.min(place, around.length - 1)] ?? this.cards.firstElementChild;
  }

  #card(group, typed) {
    const title = `Group ${this.#numberOf(group.id)}`;
    const n = group.pictures.length;
    const card = element("article", { class: "card group", tabindex: 0, "data-group": group.id, "aria-label": `${title}: ${counted(n, "picture")}${group.names.length ? `, perhaps ${group.names[0]}` : ""}` });
    const handle = element("header", { draggable: this.mayWrite() ? "true" : "false", ondragstart: (event) => drag(event, CARD, [group.id]) },
      element("h2", {}, title), element("span", { class: "quiet small" }, counted(n, "picture")));
    card.append(handle, this.#pictures(group.pictures, group.id, SHOWN_PICTURES), element("p", { class: "quiet small", title: measuresOf(group) }, factsOf(group)));
    if (this.mayWrite()) card.append(this.#decisions(group, typed));
    this.#takes(card, { onGroup: (id) => id !== group.id && this.#merge(group.id, id), onImages: (ids) => this.#move(ids, group.id) });
    return card;
  }

  // What the service says about a proposal, by the number that the group has here; others nobody sees.
  asNumberedHere(text) {
    return text.replace(/ Open proposals: [\d, ]+\./, "").replace(/\b([Pp])roposal (\d+)/g, (_, first, id) => {
      const number = this.#numbers.get(Number(id));
      return `${first === "P" ? (number ? "Group" : "A group") : (number ? "group" : "another group")}${number ? ` ${number}` : ""}`;
    });
  }

  #numberOf(id) {
    return this.#numbers.get(id) ?? id;
  }

  #decisions(group, typed) {
    const called = `Group ${this.#numberOf(group.id)}`;
    const known = new Set(this.#classes.map((one) => one.name));
    const { field, input } = nameField({ label: `Name of ${called.toLowerCase()}`, names: [...known, ...group.names], value: typed || group.name || "", placeholder: "name of the class", onenter: () => accept() });
    const yes = button("Accept", () => accept(), { class: "primary", "data-do": "a" });
    const said = () => {
      yes.textContent = known.has(input.value.trim()) ? `Add to “${input.value.trim()}”` : "Accept";
    };
    input.addEventListener("input", said);
    said();
    const accept = () => {
      const name = input.value.trim();
      if (!name) return input.focus();
      const join = known.has(name);
      this.onDecision(join ? `${called} was added to “${name}”.` : `“${name}” is a class now.`, () => post(`/v1/proposals/${group.id}/accept`, { name, join }));
    };
    const chips = group.names.slice(0, SHOWN_NAMES).map((name) => button(name, () => {
      input.value = name;
      said();
      input.focus();
    }, { class: "chip", "aria-label": `Name it ${name}` }));
    return element("div", { class: "decisions" },
      element("div", { class: "chips", role: "group", "aria-label": "Guesses at its name, best first" }, chips.length > 0 && element("span", { class: "quiet small" }, "Perhaps"), chips),
      element("div", { class: "naming" }, field, yes),
      element("div", { class: "others" },
        button("Split", () => this.onDecision(`${called} was split.`, () => post(`/v1/proposals/${group.id}/split`)), { class: "plain", "data-do": "s" }),
        button("Discard", () => this.onDecision(`${called} was discarded.`, () => post(`/v1/proposals/${group.id}/discard`)), { class: "plain", "data-do": "d" }),
        this.#mergeWith(group)));
  }

  #mergeWith(group) {
    const others = this.#groups.filter((one) => one.id !== group.id);
    if (!others.length) return null;
    const label = (one) => `group ${this.#numberOf(one.id)}, ${one.name ?? one.names[0] ?? counted(one.pictures.length, "picture")}`;
    return choiceOf({
      label: `Merge group ${this.#numberOf(group.id)} with`, hint: "Merge with…", "data-do": "m", yes: "Merge",
      options: others.map((one) => element("option", { value: one.id }, label(one))),
      onChoose: (other) => this.#merge(group.id, Number(other)),
    });
  }

  #merge(into, other) {
    this.onDecision(`Groups ${this.#numberOf(into)} and ${this.#numberOf(other)} were merged.`, () => post(`/v1/proposals/${into}/merge`, { proposals: [other] }));
  }

  #pictures(images, group, most) {
    const shown = this.#open.has(group) ? images : images.slice(0, most);
    const grid = element("ul", { class: "thumbs", "data-of": group }, shown.map((one) => element("li", {}, this.#picture(one))));
    if (shown.length < images.length) {
      grid.append(element("li", { class: "more" }, button(`+${images.length - shown.length}`, () => {
        this.#open.add(group);
        const all = this.#pictures(images, group, most);
        grid.replaceWith(all);
        all.querySelectorAll("button")[most]?.focus();
      }, { "aria-label": `Show all ${images.length} pictures` })));
    }
    return grid;
  }

  // A picture is a switch: those that are on are moved together.
  #picture(image) {
    if (!this.mayWrite()) return stored(image);
    const isOn = () => this.#picked.has(image.id);
    const shown = stored(image, { alt: "", draggable: "false" });
    const made = button("", () => {
      if (!this.#picked.delete(image.id)) this.#picked.add(image.id);
      const around = made.closest("[data-of]");
      this.#lastPick = [around.dataset.of, [...around.children].indexOf(made.parentElement)];
      made.setAttribute("aria-pressed", isOn());
      this.#showMover();
    }, {
      class: "pick", title: image.path, "aria-label": `Pick ${fileName(image.path)}`, "aria-pressed": isOn(), draggable: "true",
      ondragstart: (event) => {
        event.stopPropagation();
        drag(event, IMAGES, isOn() ? [...this.#picked] : [image.id]);
      },
    });
    made.append(shown);
    return made;
  }

  #showRail() {
    this.classRail.hidden = !this.mayWrite() || !this.#groups.length;
    const chips = this.#classes.map((one) => {
      const chip = element("li", { class: "class-chip" }, one.exemplars[0] && stored(one.exemplars[0], { alt: "" }), one.name);
      this.#takes(chip, {
        onImages: (ids) => this.#move(ids, one.name),
        onGroup: (id) => this.onDecision(`Group ${this.#numberOf(id)} was added to “${one.name}”.`, () => post(`/v1/proposals/${id}/accept`, { name: one.name, join: true })),
      });
      return chip;
    });
    this.classRail.replaceChildren(element("span", { class: "quiet small" }, "Known classes"), element("ul", { "aria-label": "Known classes", tabindex: 0 }, chips));
  }

  #showLoose(loose, n) {
    this.loose.hidden = !loose.length && !this.#groups.length;
    this.loose.replaceChildren(
      element("h2", { id: "loose-title" }, "In no group"),
      element("p", { class: "quiet small" }, !n ? "Nothing. Drop a picture here to take it out of its group." : `${counted(n, "picture")}, least like the known classes first${loose.length < n ? `; ${loose.length} are shown` : ""}. Each joins a group when others like it come.${this.mayWrite() ? " Or pick those that show the same thing, and make a class of them." : ""}`),
      this.#pictures(loose, "loose", 48));
    this.#takes(this.loose, { onImages: (ids) => this.#move(ids, null) });
  }

  #showMover() {
    const n = this.#picked.size;
    this.mover.hidden = !n;
    if (!n) return this.mover.replaceChildren();
    const target = choiceOf({
      label: "Where to", hint: "Move to…", yes: "Move",
      options: [
        this.#groups.length && element("optgroup", { label: "Groups" }, this.#groups.map((one) => element("option", { value: `#${one.id}` }, `Group ${this.#numberOf(one.id)}`))),
        element("optgroup", { label: "Classes" }, this.#classes.map((one) => element("option", { value: `=${one.name}` }, one.name))),
        element("option", { value: "-" }, "No group"),
      ].filter(Boolean),
      onChoose: (to) => this.#move([...this.#picked], to === "-" ? null : to.startsWith("#") ? Number(to.slice(1)) : to.slice(1)),
    });
    const typed = this.mover.querySelector("input")?.value ?? "";
    const { field, input } = nameField({ label: "Name of a new class of these pictures", names: [], value: typed, placeholder: "or a new class", onenter: (name) => this.#gather(name) });
    const make = button("Make a class", () => (input.value.trim() ? this.#gather(input.value.trim()) : input.focus()));
    this.mover.replaceChildren(element("strong", {}, `${counted(n, "picture")} picked`), target, element("span", { class: "naming" }, field, make),
      button("Pick none", () => this.#pickNone(), { class: "plain" }));
    announce(`${n} picked`);
  }

  #pickNone() {
    keepFocus(this.root, () => {
      this.#picked.clear();
      for (const one of this.root.querySelectorAll("[aria-pressed=true]")) one.setAttribute("aria-pressed", "false");
      this.#showMover();
    }, () => this.#nearLastPick());
  }

  // One decision makes a class of all that are picked; a class that is known takes them one by one.
  #gather(name) {
    const images = [...this.#picked];
    if (this.#classes.some((one) => one.name === name)) return this.#move(images, name);
    this.onDecision(`“${name}” is a class of ${counted(images.length, "picture")} now.`, () => post("/v1/classes/gathered", { name, images }));
  }

  #move(ids, to) {
    this.#picked.clear();
    const where = to === null ? "out of its group" : typeof to === "number" ? `to group ${this.#numberOf(to)}` : `to “${to}”`;
    const requests = ids.map((id) => () => post(`/v1/images/${id}/move`, { to }));
    this.onDecision((made) => `${counted(made.length, "picture")} moved ${where}.`, ...requests);
  }

  #takes(place, { onGroup, onImages }) {
    const fits = (event) => (onGroup && event.dataTransfer.types.includes(CARD)) || event.dataTransfer.types.includes(IMAGES);
    place.ondragenter = place.ondragover = (event) => {
      if (!fits(event)) return;
      event.preventDefault();
      event.stopPropagation();
      place.classList.add("over");
    };
    place.ondragleave = (event) => !place.contains(event.relatedTarget) && place.classList.remove("over");
    place.ondrop = (event) => {
      if (!fits(event)) return;
      event.preventDefault();
      event.stopPropagation();
      place.classList.remove("over");
      const group = event.dataTransfer.getData(CARD);
      if (group) onGroup?.(JSON.parse(group)[0]);
      else onImages(JSON.parse(event.dataTransfer.getData(IMAGES)));
    };
  }

  // Keys of a picture: to where those that are picked can go.
  #pickKey(event) {
    if (!event.target.matches(".pick") || !this.#picked.size || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = { m: "select", n: "input" }[event.key.toLowerCase()];
    if (!place) return;
    event.preventDefault();
    this.mover.querySelector(place).focus();
  }

  // Keys of a card: letters decide, arrows go to the next one.
  #key(event) {
    const card = event.target;
    if (!card.matches("[data-group]") || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const cards = [...this.cards.children];
      cards[cards.indexOf(card) + step]?.focus();
      return;
    }
    const wanted = card.querySelector(`[data-do="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!wanted) return;
    event.preventDefault();
    if (wanted.matches("select")) wanted.focus();
    else wanted.click();
  }
}

function keysIn(texts) {
  return texts.flatMap((text, at) => [at ? ", " : "", element("kbd", {}, text[0]), text.slice(1)]);
}

// What speaks for a group, in words; the numbers behind them stand in the title.
function factsOf({ stability, nearest_class: nearest, distance, pictures, size }) {
  const facts = [];
  if (stability !== null) facts.push(stability >= 0.9 ? "Holds together well" : stability >= 0.8 ? "Holds together fairly well" : "Holds together loosely");
  if (nearest) facts.push(`${distance < 0.4 ? "not far from" : distance < 0.8 ? "some way from" : "far from"} ${nearest}, the nearest class`);
  if (size < pictures.length) facts.push(`${counted(size, "different picture")}, the others are copies`);
  return facts.length ? `${facts.join("; ")}.` : "";
}

function measuresOf({ stability, nearest_class: nearest, distance }) {
  return [stability !== null && `stability ${stability.toFixed(2)} of 1`, nearest && `distance ${distance.toFixed(2)}`].filter(Boolean).join(", ");
}

function drag(event, kind, what) {
  event.dataTransfer.setData(kind, JSON.stringify(what));
  event.dataTransfer.effectAllowed = "move";
}
