// The page: from what people drop, paste, choose or film to verdicts.

import { aboutRows } from "./about.js";
import { UnreadableImageError, openClassifier } from "./classifier.js";
import { Camera } from "./common/camera.js";
import { element } from "./common/elements.js";
import { spoken } from "./common/words.js";
import { PictureList } from "./list.js";
import { describe } from "./verdict.js";
import { progressInWords, thresholdInWords, versionInWords } from "./words.js";

const byId = (id) => document.getElementById(id);
const list = new PictureList(byId("results"));
let classifier;
let queue = Promise.resolve();

async function main() {
  byId("not-started").hidden = true;
  byId("loading").hidden = false;
  try {
    classifier = await openClassifier({ onProgress: showProgress });
  } catch (error) {
    byId("failure-text").textContent = error.message;
    byId("failure").hidden = false;
    return;
  } finally {
    byId("loading").hidden = true;
  }
  showAbout();
  acceptPictures();
  acceptCamera();
  byId("input").hidden = false;
  byId("about-it").hidden = false;
}

function showProgress(progress) {
  const bar = byId("loading-bar");
  byId("loading-text").textContent = progressInWords(progress);
  if (progress.total) [bar.max, bar.value] = [progress.total, progress.at];
  else bar.removeAttribute("value");
}

function showAbout() {
  const { labels, manifest, threads } = classifier;
  byId("classes").textContent = `It knows ${labels.length} classes: ${named(labels)}.`;
  byId("about").append(
    ...aboutRows({ labels, manifest, threads }).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
  byId("version").textContent = versionInWords(manifest);
  if (manifest.unknown) byId("threshold").textContent = thresholdInWords(manifest.unknown.false_alarms);
  else byId("about-unknown").hidden = true;
}

const NAMED_CLASSES = 12;

function named(labels) {
  const shown = labels.slice(0, NAMED_CLASSES).join(", ");
  return labels.length > NAMED_CLASSES ? `${shown} and ${labels.length - NAMED_CLASSES} others` : shown;
}

function acceptPictures() {
  const files = byId("files");
  files.onchange = () => {
    classifyFiles(files.files);
    files.value = ""; // the same file may be chosen again
  };
  document.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (pasted.length) classifyFiles(pasted);
    else complain("What was pasted holds no picture. Copy the picture itself, not its address.");
  });
  acceptDrops(byId("drop-zone"));
  byId("clear").onclick = () => {
    list.clear();
    files.focus();
  };
  byId("save").onclick = () => save("verdicts.jsonl", list.jsonLines());
}

function acceptDrops(zone) {
  const mark = (on) => zone.classList.toggle("over", on);
  const accept = (event) => {
    event.preventDefault();
    mark(true);
  };
  document.addEventListener("dragenter", accept); // what moves under a mouse at rest is entered, and dropped on at once
  document.addEventListener("dragover", accept);
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && mark(false));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    const dropped = [...event.dataTransfer.files];
    if (dropped.length) classifyFiles(dropped);
    else complain("What was dropped holds no picture. Drop files, not their addresses.");
  });
}

// One after another, in the order in which they came.
function classifyFiles(files) {
  complain("");
  for (const file of files) {
    const entry = list.add(file.name);
    queue = queue.then(() => classifyFile(file, entry));
  }
}

async function classifyFile(file, entry) {
  if (!list.holds(entry)) return;
  try {
    const result = await classifier.classify(file, { wantsThumbnail: true });
    list.settle(entry, result);
    announce(spoken(entry.name, result));
  } catch (error) {
    const what = error instanceof UnreadableImageError ? "This picture cannot be read" : "This picture cannot be classified";
    list.refuse(entry, `${what}: ${error.message.replace(/[.?]$/, "")}.`);
    announce(`${entry.name}: ${what.toLowerCase()}`);
  }
}

function acceptCamera() {
  const [start, live] = [byId("start-camera"), byId("live")];
  const show = (on) => {
    byId("camera").hidden = !on;
    document.body.classList.toggle("filming", on);
  };
  let times = [];
  const camera = new Camera(byId("video"), {
    async onFrame() {
      const result = await classifier.classify(await createImageBitmap(camera.video));
      live.replaceChildren(...describe(result));
      live.classList.toggle("unknown", Boolean(result.unknown));
      announceChange(spoken("", result), result.unknown ? null : result.label);
      times = [...times.slice(-10), performance.now()];
      byId("rate").textContent = rate(times);
    },
    onStop(problem) {
      show(false);
      start.focus();
      complain(problem);
    },
  });
  start.onclick = async () => {
    complain("");
    times = [];
    live.replaceChildren();
    byId("rate").textContent = "";
    show(true);
    byId("stop-camera").focus();
    try {
      await camera.start();
    } catch (error) {
      show(false);
      start.focus();
      complain(error.message);
    }
  };
  byId("stop-camera").onclick = () => camera.stop();
}

function rate(times) {
  if (times.length < 3) return "";
  const perSecond = (1000 * (times.length - 1)) / (times.at(-1) - times[0]);
  return `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)} verdicts a second`;
}

function complain(problem) {
  const place = byId("input-problem");
  place.textContent = problem;
  place.hidden = !problem;
}

function announce(sentence) {
  byId("announced").textContent = sentence;
}

const QUIET_MS = 2000;
const heard = { what: undefined, at: 0 };

// A camera's verdicts are heard when they change, and not faster than they can be said.
function announceChange(sentence, what) {
  const now = performance.now();
  if (what === heard.what || now - heard.at < QUIET_MS) return;
  Object.assign(heard, { what, at: now });
  announce(sentence);
}

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

main();
