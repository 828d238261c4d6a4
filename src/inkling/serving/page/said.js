// What the log holds, in words of a person.

import { fileName } from "./dom.js";
import { counted, listed } from "./words.js";

const quoted = (name) => `“${name}”`;
const pictures = (n) => (n === undefined || n === null ? "pictures" : counted(n, "picture"));
const place = (to) => (to === null || to === undefined ? "out of its group" : typeof to === "number" ? "to another group" : `to ${quoted(to)}`);

const SAID = {
  fit: (_, made) => `Learned${made.classes ? ` ${counted(made.classes, "class", "classes")}` : ""}${made.exemplars ? ` from ${pictures(made.exemplars)}` : ""}`,
  update: (asked, made) => `Added ${pictures(made.images ?? asked.images)} to ${listed([made.extended, made.new_classes].flat().filter(Boolean).map(quoted)) || "its classes"}`,
  "add-class": (asked, made) => `Added the class ${quoted(asked.class ?? made.class)}${made.images ?? asked.images ? ` with ${pictures(made.images ?? asked.images)}` : ""}`,
  "remove-class": (asked, made) => `Removed the class ${quoted(asked.class)}${made.images ? ` with ${pictures(made.images)}` : ""}`,
  rename: (asked, made) => (asked.proposal ? `Named a group ${quoted(asked.to)}` : `Renamed ${quoted(made.from ?? asked.class)} to ${quoted(asked.to)}`),
  accept: (asked, made) => (made.joined ? `Added a group of ${pictures(made.images)} to ${quoted(made.class)}` : `Made a group of ${pictures(made.images)} the class ${quoted(made.class ?? asked.name)}`),
  merge: (asked, made) => `Merged ${counted((made.merged ?? asked.proposals ?? []).length, "group")}${made.images ? ` into one of ${pictures(made.images)}` : ""}`,
  split: (_, made) => `Split a group${made.images ? ` into one of ${made.images[0]} and one of ${pictures(made.images[1])}` : ""}`,
  discard: (_, made) => `Discarded a group of ${pictures(made.images)}`,
  move: (_, made) => `Moved ${made.image ? fileName(made.image) : "a picture"} ${place(made.to)}`,
  refit: () => "Learned everything anew",
  correct: (_, made) => `Corrected labels: ${counted(made.relabelled ?? 0, "picture")} renamed, ${made.dropped ?? 0} taken out`,
  observe: (_, made) => (made.new ? `Kept ${pictures(made.new)} that may show something new` : "Looked at pictures; none of them was kept anew"),
  discover: (_, made) => `Grouped the pictures that wait${made.new ? `: ${counted(made.new, "new group")}` : ""}`,
  upgrade: () => "Brought the memory to the form of this release",
};

// One event in words; what it took back is found among the others.
export function inWords(event, events = []) {
  if (event.verb === "undo") return `Took back: ${undoneBy(event, events)}`;
  return SAID[event.verb]?.(event.arguments, event.outcome) ?? event.verb;
}

export function undoneBy(event, events) {
  const back = events.find((one) => one.event === event.undoes) ?? { verb: event.outcome.undone, arguments: event.outcome.arguments ?? {}, outcome: {} };
  const said = inWords(back, events);
  return said[0].toLowerCase() + said.slice(1);
}
