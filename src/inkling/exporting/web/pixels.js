// A file or a camera's frame to 8-bit RGB, as Inkling reads pictures: turned upright, on white, colours as stored.

// The largest pictures and the most elongated ones that Inkling reads.
const MAX_PIXELS = 89e6;
const MAX_ASPECT = 100;

// Read back in bands, so that no canvas is larger than a phone's browser allows (16 million pixels).
const BAND_PIXELS = 1 << 20;

const THUMBNAIL_SIDE = 192;

export class UnreadableImageError extends Error {}

// Upright picture of a file; the caller closes it.
export async function decode(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new UnreadableImageError(await whyUnreadable(file));
  }
}

// By how much to shrink the sides of a picture before the model reads it. Inkling decodes a JPEG much larger than the
// model needs at a half, a quarter or an eighth, where that divides both sides and leaves `least` pixels of the shorter.
// Browsers decode at full size only; means over blocks come nearer to Inkling's pixels than the full picture does, and
// spare the model's memory.
export async function scaleOf(file, { width, height }, least) {
  if ((await formatOf(file)) !== "JPEG") return 1;
  return [8, 4, 2].find((scale) => [width, height].every((side) => side % scale === 0 && side / scale >= least)) ?? 1;
}

// {width, height, data}: three bytes a pixel, row by row, each the mean of a block of scale x scale pixels.
export function rgb(bitmap, scale = 1) {
  const { width, height } = bitmap;
  check(width, height);
  const data = new Uint8Array((width / scale) * (height / scale) * 3);
  const rows = Math.min(height, Math.max(1, Math.floor(BAND_PIXELS / width / scale)) * scale);
  const context = canvas(width, rows);
  for (let top = 0; top < height; top += rows) {
    const n = Math.min(rows, height - top);
    context.fillRect(0, 0, width, n);
    context.drawImage(bitmap, 0, top, width, n, 0, 0, width, n);
    const rgba = context.getImageData(0, 0, width, n).data;
    const part = data.subarray((top / scale) * (width / scale) * 3);
    if (scale === 1) dropAlpha(rgba, part);
    else averageBlocks(rgba, width, n, scale, part);
  }
  return { width: width / scale, height: height / scale, data };
}

export function thumbnail(bitmap) {
  const scale = Math.min(1, THUMBNAIL_SIDE / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
  const context = canvas(width, height);
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return context.canvas.transferToImageBitmap();
}

// An opaque canvas that paints white: transparent parts of a picture lie on white.
function canvas(width, height) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new UnreadableImageError(`${width} x ${height} pixels are too many for this browser's memory`);
  context.fillStyle = "#fff";
  return context;
}

function dropAlpha(rgba, data) {
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    data[to++] = rgba[from];
    data[to++] = rgba[from + 1];
    data[to++] = rgba[from + 2];
  }
}

function averageBlocks(rgba, width, height, scale, data) {
  const sums = new Uint32Array((width / scale) * 3);
  const pixels = scale * scale;
  for (let y = 0, to = 0; y < height; y += 1) {
    for (let x = 0, from = 4 * y * width; x < width; x += 1, from += 4) {
      const at = 3 * Math.floor(x / scale);
      sums[at] += rgba[from];
      sums[at + 1] += rgba[from + 1];
      sums[at + 2] += rgba[from + 2];
    }
    if (y % scale === scale - 1) {
      for (const sum of sums) data[to++] = Math.floor((sum + pixels / 2) / pixels);
      sums.fill(0);
    }
  }
}

function check(width, height) {
  if (width * height > MAX_PIXELS) {
    throw new UnreadableImageError(`${width} x ${height} pixels is too large (at most ${MAX_PIXELS / 1e6} million pixels are read)`);
  }
  if (Math.max(width, height) > MAX_ASPECT * Math.min(width, height)) {
    throw new UnreadableImageError(`${width} x ${height} pixels is too elongated (at most 1 to ${MAX_ASPECT} is read)`);
  }
}

// By their first bytes: formats that Inkling reads and not every browser does.
const FORMATS = [
  [/^\xff\xd8\xff/, "JPEG"],
  [/^\x89PNG/, "PNG"],
  [/^GIF8/, "GIF"],
  [/^RIFF....WEBP/s, "WebP"],
  [/^BM/, "BMP"],
  [/^(II[*+]\0|MM\0[*+])/, "TIFF"],
  [/^....ftyp(avif|avis)/s, "AVIF"],
  [/^....ftyp(hei|hev|mif)/s, "HEIC"],
];
const LARGE_BYTES = 10e6;
const NOT_EVERYWHERE = ["TIFF", "AVIF", "HEIC"];

async function formatOf(file) {
  const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 16).arrayBuffer()));
  if (!head) return "nothing";
  return FORMATS.find(([start]) => start.test(head))?.[1] ?? null;
}

async function whyUnreadable(file) {
  let format;
  try {
    format = await formatOf(file);
  } catch {
    return "the file cannot be opened: it was moved, or is a folder";
  }
  if (format === "nothing") return "the file is empty";
  if (!format) return "it is no picture of a format that this browser knows, such as JPEG, PNG or WebP";
  if (NOT_EVERYWHERE.includes(format)) return `this browser reads no ${format}, or the file is damaged; save it as JPEG or PNG`;
  if (file.size > LARGE_BYTES) return `the ${format} file is damaged, or too large for this browser's memory`;
  return `the ${format} file is damaged or cut short`;
}
