// onnxruntime-node as a peer: loads an ONNX file, then answers every line on stdin with one run.
//   node onnxruntime.mjs MODEL.onnx N,C,H,W THREADS
// Prints one JSON line when ready and one per run: {"ms": ...}. The input is the same pseudo-random tensor as everywhere.
import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import ort from 'onnxruntime-node';

const [model, shapeText, threads] = process.argv.slice(2);
const shape = shapeText.split(',').map(Number);
const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
});
const input = new Float32Array(shape.reduce((a, b) => a * b, 1));
for (let i = 0, seed = 1; i < input.length; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    input[i] = seed / 2 ** 31 - 1;
}
const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', input, shape) };

function peakMiB() {
    const line = readFileSync('/proc/self/status', 'utf8').split('\n').find((l) => l.startsWith('VmHWM'));
    return Number(line.split(/\s+/)[1]) / 1024;
}

console.log(JSON.stringify({ ready: true, version: ort.env?.versions?.node ?? 'unknown' }));
for await (const _ of createInterface({ input: process.stdin })) {
    const start = process.hrtime.bigint();
    const outputs = await session.run(feeds);
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    console.log(JSON.stringify({ ms, peakMiB: peakMiB() }));
    for (const output of Object.values(outputs)) output.dispose?.();
}
