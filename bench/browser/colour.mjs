// How far two colours are apart for somebody, by their vision.

// G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A physiologically-based model for simulation of color vision deficiency", IEEE TVCG 15(6), 2009,
// severity 1.0, on linear RGB. Without any colour only the luminance is left (ITU-R BT.709).
const visions = {
  usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protanopia: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deuteranopia: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritanopia: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};

/** "#0a6fb8" as linear RGB (IEC 61966-2-1). */
const linear = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));

const times = (matrix, v) => matrix.map((row) => row.reduce((sum, m, i) => sum + m * v[i], 0));

/** Linear RGB as CIE L*a*b* with the white of D65. */
function lab(rgb) {
  const clipped = rgb.map((v) => Math.min(1, Math.max(0, v)));
  const xyz = times([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], clipped);
  const [x, y, z] = [xyz[0] / 0.9505, xyz[1], xyz[2] / 1.089].map((t) => (t > 216 / 24389 ? Math.cbrt(t) : (t * 24389 / 27 + 16) / 116));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

/** The distances (CIE 1976) of two colours, by vision: 2.3 is just noticeable. */
export function distances(one, other) {
  const entries = Object.entries(visions).map(([name, matrix]) => {
    const [a, b] = [one, other].map((c) => lab(times(matrix, linear(c))));
    return [name, Math.hypot(...a.map((v, i) => v - b[i]))];
  });
  return Object.fromEntries(entries);
}
