// What the camera sees now, as a file.

const LONGEST_SIDE = 640;
const QUALITY = 0.9;
const canvas = document.createElement("canvas");

export async function still(video, name) {
  const { videoWidth: width, videoHeight: height } = video;
  if (!width) throw new Error("The camera gives no picture yet.");
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
  canvas.getContext("2d", { alpha: false }).drawImage(video, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return new File([blob], name, { type: "image/jpeg" });
}
