// Runs an ONNX file with onnxruntime-node, from raw float32 to raw float32, once for each input:
//   node run_onnx.mjs MODEL.onnx INPUT.raw N,C,H,W PREFIX [INPUT.raw N,C,H,W PREFIX ...]
// Writes PREFIX.NAME.raw for each output and prints one JSON object a run: {"NAME": [N, C, H, W], ...}.
import { readFileSync, writeFileSync } from 'node:fs';
import ort from 'onnxruntime-node';

const [model, ...runs] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 2, interOpNumThreads: 1 });
while (runs.length > 0) {
    const [input, shape, prefix] = runs.splice(0, 3);
    const bytes = readFileSync(input);
    const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    const tensor = new ort.Tensor('float32', values, shape.split(',').map(Number));
    const outputs = await session.run({ [session.inputNames[0]]: tensor });
    const shapes = {};
    for (const [name, output] of Object.entries(outputs)) {
        writeFileSync(`${prefix}.${name}.raw`, new Uint8Array(output.data.buffer, output.data.byteOffset, output.data.byteLength));
        shapes[name] = output.dims;
    }
    console.log(JSON.stringify(shapes));
}
