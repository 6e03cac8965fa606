// onnxruntime-node as a peer.
//   node onnxruntime.mjs serve MODEL.onnx N,C,H,W THREADS    loads an ONNX file, then answers every line on stdin with one run
//   node onnxruntime.mjs first MODEL.onnx N,C,H,W THREADS    one run and its mask, in a process of its own
// `serve` prints one JSON line when it is ready and one per run, {"ms": ..., "peakMiB": ...}; a line with a path on it has the
// output (logits at the input's size) written there as raw float32. The input is the same pseudo-random tensor as everywhere.
import { createInterface } from 'node:readline';
import { readFileSync, writeFileSync } from 'node:fs';
import ort from 'onnxruntime-node';

const [command, model, shapeText, threads] = process.argv.slice(2);
const shape = shapeText.split(',').map(Number);
const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
});
const outputName = session.outputNames.at(-1);
const input = new Float32Array(shape.reduce((a, b) => a * b, 1));
const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', input, shape) };

function peakMiB() {
    const line = readFileSync('/proc/self/status', 'utf8').split('\n').find((l) => l.startsWith('VmHWM'));
    return Number(line.split(/\s+/)[1]) / 1024;
}

function winners({ data, dims: [, classes, height, width] }) {
    const pixels = height * width, best = Float32Array.from(data.subarray(0, pixels)), labels = new Uint8Array(pixels);
    for (let k = 1; k < classes; k++)
        for (let i = 0, at = k * pixels; i < pixels; i++)
            if (data[at + i] > best[i]) {
                best[i] = data[at + i];
                labels[i] = k;
            }
    return labels;
}

async function serve() {
    for (let i = 0, seed = 1; i < input.length; i++) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        input[i] = seed / 2 ** 31 - 1;
    }
    console.log(JSON.stringify({ ready: true }));
    for await (const line of createInterface({ input: process.stdin })) {
        const start = process.hrtime.bigint();
        const outputs = await session.run(feeds, [outputName]);
        const ms = Number(process.hrtime.bigint() - start) / 1e6;
        const { data } = outputs[outputName];
        if (line.trim()) writeFileSync(line.trim(), new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        console.log(JSON.stringify({ ms, peakMiB: peakMiB() }));
        for (const output of Object.values(outputs)) output.dispose?.();
    }
}

async function first() {
    winners((await session.run(feeds, [outputName]))[outputName]);
    console.log(JSON.stringify({ peakMiB: peakMiB() }));
}

await { serve, first }[command]();
