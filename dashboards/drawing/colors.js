// Reads a PNG, and returns its pixels as numbers of a palette of 256 colours.
async (encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    // Colours that differ by less than 4 in each part are one bin, of which the commonest stands for all.
    const bins = new Map();
    const places = new Int32Array(data.length / 4);
    for (let i = 0; i < places.length; i++) {
        const [r, g, b] = [data[4 * i], data[4 * i + 1], data[4 * i + 2]];
        const key = ((r >> 2) << 12) | ((g >> 2) << 6) | (b >> 2);
        places[i] = key;
        let bin = bins.get(key);
        if (!bin) bins.set(key, (bin = { count: 0, exact: new Map() }));
        bin.count++;
        const color = (r << 16) | (g << 8) | b;
        bin.exact.set(color, (bin.exact.get(color) || 0) + 1);
    }
    const all = [...bins].sort((one, other) => other[1].count - one[1].count);
    const commonest = ({ exact }) => [...exact].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
    const parts = (color) => [color >> 16, (color >> 8) & 255, color & 255];
    // Half of the palette are the commonest; of the others, in their order, those that are far from all so far.
    const palette = all.slice(0, 128).map(([, bin]) => parts(commonest(bin)));
    const far = (one, other) => one.reduce((sum, part, i) => sum + (part - other[i]) ** 2, 0);
    for (const least of [1200, 400, 120, 0]) {
        for (const [, bin] of all.slice(128)) {
            if (palette.length === 256) break;
            const color = parts(commonest(bin));
            if (palette.every((other) => far(color, other) > least)) palette.push(color);
        }
    }
    const nearest = new Map(all.map(([key, bin]) => {
        const color = parts(commonest(bin));
        let best = 0;
        palette.forEach((other, i) => { if (far(color, other) < far(color, palette[best])) best = i; });
        return [key, best];
    }));
    let text = "";
    for (let from = 0; from < places.length; from += 32768) {
        text += String.fromCharCode(...places.subarray(from, from + 32768).map((key) => nearest.get(key)));
    }
    return { width: image.width, height: image.height, palette: palette.flat(), pixels: btoa(text) };
}
