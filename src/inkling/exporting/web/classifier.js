// The exported classifier for any page: openClassifier(), then classify(file or ImageBitmap).

export class UnreadableImageError extends Error {}

export class Classifier {
  #worker;
  #waiting = new Map();
  #count = 0;
  #broken = null;

  constructor(worker, onProgress) {
    this.#worker = worker;
    worker.onmessage = ({ data }) => (data.progress ? onProgress?.(data.progress) : this.#settle(data));
    worker.onerror = (event) => {
      event.preventDefault();
      this.#break(event.message || "its script could not be loaded");
    };
  }

  // Result: label, probability, ranked ([{label, probability}, ...], most probable first), unknown and pKnown (null where
  // nothing detects unknown pictures), probabilities (in the order of labels), embedding, width, height, thumbnail.
  async classify(source, { wantsThumbnail = false } = {}) {
    const transfer = source instanceof ImageBitmap ? [source] : [];
    const result = await this.ask("classify", { source, wantsThumbnail }, transfer);
    const ranked = this.labels
      .map((label, k) => ({ label, probability: result.probabilities[k] }))
      .sort((one, other) => other.probability - one.probability);
    const { labelId } = result;
    return { ...result, label: this.labels[labelId], probability: result.probabilities[labelId], ranked };
  }

  ask(task, given, transfer = []) {
    if (this.#broken) return Promise.reject(this.#broken);
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task, ...given }, transfer);
    });
  }

  #settle({ id, result, error }) {
    const { resolve, reject } = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (!error) resolve(result);
    else reject(new (error.unreadable ? UnreadableImageError : Error)(error.message));
  }

  #break(reason) {
    this.#broken = new Error(`The model stopped: ${reason}. Reload the page.`);
    for (const { reject } of this.#waiting.values()) reject(this.#broken);
    this.#waiting.clear();
  }
}

// Loads what stands beside this file. Progress: {at, total} in bytes, total 0 where unknown; {starting: true} at the end.
export async function openClassifier({ onProgress } = {}) {
  requireFeatures();
  const [labels, manifest] = await Promise.all([readJson("labels.json"), readJson("manifest.json")]);
  const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  const classifier = new Classifier(worker, onProgress);
  classifier.labels = labels.map(String);
  classifier.manifest = manifest;
  const { shorter_side: side, draft_margin: margin } = manifest.preprocessing;
  Object.assign(classifier, await classifier.ask("load", { model: "./model.onnx", leastSide: margin * side }));
  return classifier;
}

function requireFeatures() {
  const missing = ["Worker", "WebAssembly", "OffscreenCanvas", "createImageBitmap"].filter((name) => !(name in globalThis));
  if (missing.length) {
    throw new Error(`This browser is too old (it has no ${missing.join(", ")}). Chrome 91, Firefox 114, Safari 16.4 or later will do.`);
  }
}

async function readJson(name) {
  const response = await fetch(new URL(name, import.meta.url)).catch(() => {
    throw new Error(`The host does not answer (asked for ${name}). Reload the page when there is a connection.`);
  });
  if (!response.ok) throw new Error(`The host has no ${name} (it answered ${response.status}). Copy the whole folder to it.`);
  try {
    return await response.json();
  } catch {
    throw new Error(`${name} is damaged. Export the folder again.`);
  }
}
