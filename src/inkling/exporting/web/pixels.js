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

// {width, height, data}: three bytes a pixel, row by row.
export function rgb(bitmap) {
  const { width, height } = bitmap;
  check(width, height);
  const data = new Uint8Array(width * height * 3);
  const rows = Math.min(height, Math.max(1, Math.floor(BAND_PIXELS / width)));
  const context = canvas(width, rows);
  for (let top = 0; top < height; top += rows) {
    const n = Math.min(rows, height - top);
    context.fillRect(0, 0, width, n);
    context.drawImage(bitmap, 0, top, width, n, 0, 0, width, n);
    dropAlpha(context.getImageData(0, 0, width, n).data, data, top * width * 3);
  }
  return { width, height, data };
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

function dropAlpha(rgba, data, to) {
  for (let from = 0; from < rgba.length; from += 4) {
    data[to++] = rgba[from];
    data[to++] = rgba[from + 1];
    data[to++] = rgba[from + 2];
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
const NOT_EVERYWHERE = ["TIFF", "AVIF", "HEIC"];

async function whyUnreadable(file) {
  let head;
  try {
    head = String.fromCharCode(...new Uint8Array(await file.slice(0, 16).arrayBuffer()));
  } catch {
    return "the file cannot be opened; was it moved, or is it a folder?";
  }
  if (!head) return "the file is empty";
  const format = FORMATS.find(([start]) => start.test(head))?.[1];
  if (!format) return "it is no picture of a format that this browser knows, such as JPEG, PNG or WebP";
  if (NOT_EVERYWHERE.includes(format)) return `this browser reads no ${format}, or the file is damaged; save it as JPEG or PNG`;
  return `the ${format} file is damaged or cut short`;
}
