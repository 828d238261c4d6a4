// Decisions: asked of the service, told in a message, and taken back from there.

import { get, post } from "./api.js";
import { announce } from "./dom.js";
import { clearToasts, toast } from "./toast.js";

export const CHANGED = "memory-changed";

export function tellChanged() {
  document.dispatchEvent(new CustomEvent(CHANGED));
}

export function complain(error) {
  if (error.name === "AbortError") return;
  toast(error.message, { problem: true });
}

// The events of one or several requests, which one Undo takes back; null where the service refused.
export async function decide(text, ...requests) {
  const events = [];
  let refused = null;
  for (const request of requests) {
    try {
      events.push(await request());
    } catch (error) {
      refused = error;
      break;
    }
  }
  const made = events.filter((one) => one.event !== null && one.event !== undefined);
  if (refused) complain(refused.isConflict ? new Error(`${refused.message} What is shown now is the latest.`) : refused);
  const back = made.filter((one) => one.verb !== "fit").map((one) => one.event); // a first fit stays
  if (made.length) toast(said(text, made), { undo: back.length ? () => takeBack(back) : null });
  else if (events.some((one) => one.begun)) toast(said(text, events), { undo: takeBackLatest });
  else if (!refused) toast("Nothing new: the memory has it already.");
  tellChanged();
  return refused ? null : events;
}

const said = (text, events) => (typeof text === "function" ? text(events) : text);

// Several events are taken back latest first; it ends where somebody else has decided since.
export async function takeBack(events) {
  clearToasts();
  let done = 0;
  try {
    for (const event of [...events].sort((a, b) => b - a)) {
      await post("/v1/undo", { event });
      done += 1;
    }
  } catch (error) {
    complain(error);
  }
  if (done) toast(done === 1 ? "Taken back." : `${done} decisions were taken back.`);
  tellChanged();
}

export async function takeBackLatest() {
  clearToasts();
  try {
    const event = await post("/v1/undo");
    const what = event.event === null ? `the class ${quoted(event.outcome.class)}` : inWords({ verb: event.outcome.undone, arguments: event.outcome.arguments, outcome: {} });
    const told = `Taken back: ${what}`;
    toast(told);
    announce(told);
  } catch (error) {
    complain(error);
  }
  tellChanged();
}

export async function history(last = 500) {
  return get(`/v1/history?last=${last}`);
}

const NOT_DECIDED = ["observe", "discover", "undo", "fit"];

// The decisions that can be taken back one after the other, latest first.
export function undoable(events) {
  const undone = new Set(events.map((one) => one.undoes));
  return events.filter((one) => !NOT_DECIDED.includes(one.verb) && !undone.has(one.event)).reverse();
}

const quoted = (name) => `“${name}”`;
const images = (n) => (n === undefined || n === null ? "" : n === 1 ? "1 picture" : `${n} pictures`);

const SAID = {
  fit: (_, made) => `Fitted${made.classes ? ` ${made.classes} classes` : ""}${made.exemplars ? ` from ${images(made.exemplars)}` : ""}`,
  update: (asked, made) => `Added ${images(made.images ?? asked.images) || "pictures"} to ${[made.extended, made.new_classes].flat().filter(Boolean).map(quoted).join(", ")}`,
  "add-class": (asked) => `Added the class ${quoted(asked.class)}${asked.images ? ` with ${images(asked.images)}` : ""}`,
  "remove-class": (asked) => `Removed the class ${quoted(asked.class)}`,
  rename: (asked) => `Renamed ${asked.class ?? asked.what ?? asked.proposal ? quoted(asked.class ?? asked.what ?? `group ${asked.proposal}`) : ""} to ${quoted(asked.name ?? asked.to)}`,
  accept: (asked, made) => `Accepted group ${asked.proposal} as ${quoted(made.class ?? asked.name ?? "")}`,
  merge: (asked) => `Merged groups ${(asked.proposals ?? []).join(", ")}`,
  split: (asked, made) => `Split group ${asked.proposal}${made.proposals ? ` into ${made.proposals.join(" and ")}` : ""}`,
  discard: (asked) => `Discarded group ${asked.proposal}`,
  move: (asked, made) => `Moved ${made.image ?? asked.image} to ${place(asked.to)}`,
  refit: () => "Fitted anew",
  observe: (_, made) => `Looked at ${images(made.seen)}, of which ${made.new ?? 0} were new`,
  discover: (_, made) => `Looked for groups: ${made.new ?? 0} new`,
};

const place = (to) => (to === null || to === undefined ? "no group" : typeof to === "number" ? `group ${to}` : quoted(to));

export function inWords(event) {
  if (event.verb === "undo") return `Took back event ${event.undoes}: ${event.outcome.undone}`;
  const say = SAID[event.verb];
  return say ? say(event.arguments, event.outcome) : event.verb;
}
