// The servers of the load test, started as processes of their own.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const running = [];
export const stopAll = () => running.forEach((child) => child.kill('SIGKILL'));

// Resolves with the first thing that `find` makes of a line.
function started(command, args, stream, find) {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    child.stdout.resume();
    child.stderr.resume();
    return new Promise((resolve, reject) => {
        const said = [];
        createInterface({ input: child[stream] }).on('line', (line) => {
            if (said.length < 20) said.push(line);
            const found = find(line);
            if (found) resolve(found);
        });
        child.on('error', reject);
        child.on('exit', (code) => reject(new Error(`${command} ended with ${code}:\n${said.join('\n')}`)));
    });
}

// The answer is one label byte per pixel, as the peer's.
export async function atrous(tool, model, threads, batch, queue, photos) {
    const url = await started(tool, [
        'serve', '--model', `street=${model}`, '--port', '0', '--threads', `${threads}`, '--max-batch', `${batch}`,
        '--queue', `${queue}`, '--log-level', 'error',
    ], 'stderr', (line) => line.match(/serving on (\S+)/)?.[1]);
    const requests = photos.map((photo) => {
        const length = Buffer.alloc(4);
        length.writeUInt32LE(photo.length);
        return Buffer.concat([length, photo]);
    });
    // The header's length must be the same for all photos: it is one header of the requests.
    const width = Math.max(...requests.map((request) => `${request.length}`.length));
    const json = (size) => '{"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":'
        + `${size}`.padStart(width) + '}}],"outputs":[{"name":"labels","parameters":{"binary_data":true}}]}';
    return {
        url, path: '/v2/models/street/infer',
        headers: { 'Inference-Header-Content-Length': `${json(0).length}` },
        bodies: requests.map((request) => Buffer.concat([Buffer.from(json(request.length)), request])),
        labels: (answer) => answer.body.subarray(Number(answer.headers['inference-header-content-length'])),
    };
}

export async function peer(script, onnx, threads, photos) {
    const { port, sharp } = await started(process.execPath, [script, onnx, `${threads}`], 'stdout', (line) => JSON.parse(line));
    return {
        url: `http://127.0.0.1:${port}`, path: '/', headers: { 'Content-Type': 'image/jpeg' }, bodies: photos,
        labels: (answer) => answer.body, sharp,
    };
}
