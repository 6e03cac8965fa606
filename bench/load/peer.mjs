// A plain onnxruntime-node HTTP server, the peer of the load test: POST a JPEG, get one label byte per pixel.
//   node peer.mjs MODEL.onnx THREADS
// Prints one JSON line when it listens: {"port": ..., "sharp": ...}. Every request runs by itself, as it comes.
import { createServer } from 'node:http';
import ort from 'onnxruntime-node';
import sharp from 'sharp';

const [model, threads] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
});
const output = session.outputNames.at(-1); // logits at the input's size
sharp.concurrency(Number(threads));
sharp.cache(false);

// The model's own pre-processing (models/README.md), one table per channel.
const mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225];
const normalised = mean.map((m, c) => Float32Array.from({ length: 256 }, (_, v) => (v / 255 - m) / std[c]));

async function segment(file) {
    const { data, info } = await sharp(file).toColourspace('srgb').removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const pixels = info.width * info.height;
    const input = new Float32Array(3 * pixels);
    for (let c = 0; c < 3; c++)
        for (let i = 0, table = normalised[c], at = c * pixels; i < pixels; i++) input[at + i] = table[data[3 * i + c]];
    const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', input, [1, 3, info.height, info.width]) };
    const results = await session.run(feeds, [output]);
    const scores = results[output].data, classes = results[output].dims[1];
    const best = Float32Array.from(scores.subarray(0, pixels)), labels = Buffer.alloc(pixels);
    for (let k = 1; k < classes; k++)
        for (let i = 0, at = k * pixels; i < pixels; i++)
            if (scores[at + i] > best[i]) {
                best[i] = scores[at + i];
                labels[i] = k;
            }
    results[output].dispose?.();
    return labels;
}

const server = createServer(async (request, response) => {
    try {
        const parts = [];
        for await (const part of request) parts.push(part);
        response.end(await segment(Buffer.concat(parts)));
    } catch (error) {
        response.statusCode = 400;
        response.end(`${error.message}\n`);
    }
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: server.address().port, sharp: sharp.versions.sharp })));
