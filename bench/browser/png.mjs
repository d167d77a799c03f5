// Pictures of pages have few colours: with a palette they are a third as large. (PNG, RFC 2083, colour type 3.)
import { crc32, deflateSync } from "node:zlib";

/** A PNG with a palette from a screenshot; the page is one that may run what it likes. */
export async function small(page, screenshot) {
  const { width, height, data } = await page.evaluate(async (base64) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height), ctx = canvas.getContext("2d");
    ctx.drawImage(image, 0, 0);
    const bytes = ctx.getImageData(0, 0, image.width, image.height).data;
    let text = "";
    for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
    return { width: image.width, height: image.height, data: btoa(text) };
  }, screenshot.toString("base64"));
  const pixels = Buffer.from(data, "base64"), palette = colours(pixels), known = new Map();
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 1; x <= width; x++, from += 4) {
      const colour = (pixels[from] << 16) | (pixels[from + 1] << 8) | pixels[from + 2];
      if (!known.has(colour)) known.set(colour, nearest(palette, colour));
      rows[y * (width + 1) + x] = known.get(colour);
    }
  }
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const table = Buffer.from(palette.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("PLTE", table), chunk("IDAT", deflateSync(rows, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}

// The commonest colours, of those that look alike one.
function colours(pixels) {
  const counts = new Map();
  for (let i = 0; i < pixels.length; i += 4) {
    const colour = (pixels[i] << 16) | (pixels[i + 1] << 8) | pixels[i + 2];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const chosen = [];
  for (const [colour] of [...counts].sort((a, b) => b[1] - a[1])) {
    if (chosen.length === 256) break;
    if (chosen.length < 24 || chosen.every((other) => distance(other, colour) > 300)) chosen.push(colour);
  }
  return chosen;
}

const distance = (a, b) => ((a >> 16) - (b >> 16)) ** 2 + (((a >> 8) & 255) - ((b >> 8) & 255)) ** 2 + ((a & 255) - (b & 255)) ** 2;
const nearest = (palette, colour) => palette.reduce((best, c, i) => (distance(c, colour) < distance(palette[best], colour) ? i : best), 0);

function chunk(name, body) {
  const all = Buffer.concat([Buffer.alloc(4), Buffer.from(name), body, Buffer.alloc(4)]);
  all.writeUInt32BE(body.length, 0);
  all.writeUInt32BE(crc32(all.subarray(4, -4)), all.length - 4);
  return all;
}
