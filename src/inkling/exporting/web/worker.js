// Loads the model and runs it, apart from the page, so that the page stays responsive.

import * as ort from "./runtime/ort.js";
import { UnreadableImageError, decode, rgb, scaleOf, thumbnail } from "./pixels.js";

const WASM = "./runtime/ort-wasm-simd-threaded.wasm";
const MOST_THREADS = 4;
const ERRORS = 3; // and no warnings, on the console

let session;
let leastSide; // that a picture is shrunk to before the model reads it

const TASKS = {
  async load({ model, leastSide: least }) {
    leastSide = least;
    const loaded = new Map();
    const tell = (name, at, total) => {
      loaded.set(name, { at, total });
      const known = [...loaded.values()];
      postMessage({ progress: { at: sum(known, "at"), total: loaded.size < 2 || known.some((one) => !one.total) ? 0 : sum(known, "total") } });
    };
    const [wasm, graph] = await Promise.all([download(WASM, tell), download(model, tell)]);
    postMessage({ progress: { starting: true } });
    // Several threads need memory that they share, which a browser grants to pages whose host asks for isolation.
    ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(MOST_THREADS, navigator.hardwareConcurrency) : 1;
    ort.env.wasm.wasmBinary = wasm;
    ort.env.logLevel = "error";
    session = await ort.InferenceSession.create(new Uint8Array(graph), { executionProviders: ["wasm"], logSeverityLevel: ERRORS });
    return { threads: ort.env.wasm.numThreads };
  },

  // A file, or a bitmap such as a frame of the camera.
  async classify({ source, wantsThumbnail }) {
    const isFile = !(source instanceof ImageBitmap);
    const bitmap = isFile ? await decode(source) : source;
    try {
      const { width, height } = bitmap;
      const answers = await run(rgb(bitmap, isFile ? await scaleOf(source, bitmap, leastSide) : 1));
      return { ...answers, width, height, thumbnail: wantsThumbnail ? thumbnail(bitmap) : null };
    } finally {
      bitmap.close();
    }
  },
};

// Outputs of the graph for one picture. A classifier without a detector of unknown images has neither of the last two.
async function run({ data, height, width }) {
  const image = new ort.Tensor("uint8", data, [height, width, 3]);
  const outputs = await session.run({ image });
  return {
    probabilities: Array.from(outputs.probabilities.data),
    labelId: Number(outputs.label_id.data[0]),
    embedding: Array.from(outputs.embedding.data),
    unknown: outputs.unknown ? Boolean(outputs.unknown.data[0]) : null,
    pKnown: outputs.p_known ? outputs.p_known.data[0] : null,
  };
}

async function download(path, tell) {
  const response = await fetch(new URL(path, import.meta.url)).catch(() => {
    throw new Error(`The host does not answer (asked for ${named(path)}). Reload the page when there is a connection.`);
  });
  if (!response.ok) throw new Error(`The host has no ${named(path)} (it answered ${response.status}). Copy the whole folder to it.`);
  // What a host compresses has the length of its compressed form, which says nothing about the bytes that come out.
  const total = response.headers.get("Content-Encoding") ? 0 : Number(response.headers.get("Content-Length"));
  const parts = [];
  let at = 0;
  tell(path, at, total);
  const reader = response.body.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    parts.push(part.value);
    at += part.value.length;
    tell(path, at, total);
  }
  return new Blob(parts).arrayBuffer();
}

function named(path) {
  return path.replace("./", "");
}

function sum(parts, key) {
  return parts.reduce((total, part) => total + part[key], 0);
}

self.onmessage = async ({ data: { id, task, ...given } }) => {
  try {
    const result = await TASKS[task](given);
    postMessage({ id, result }, result.thumbnail ? [result.thumbnail] : []);
  } catch (error) {
    postMessage({ id, error: { message: error.message ?? String(error), unreadable: error instanceof UnreadableImageError } });
  }
};
