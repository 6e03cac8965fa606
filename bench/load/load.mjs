// Loads Atrous (batching on and off) and a plain onnxruntime-node server with the same photos in turns, and writes a table.
//   node load.mjs MODEL.safetensors MODEL.onnx ATROUS ATROUS_BENCH SECONDS FACTS.json
// run.sh starts it.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { closed, open, percentile, post, seeded, settled } from './clients.mjs';
import { atrous, peer, stopAll } from './servers.mjs';

const [model, onnx, tool, bench, secondsText, facts] = process.argv.slice(2);
const seconds = Number(secondsText), threads = availableParallelism();
const batch = 4, queue = 32, overload = 10, most = 16, crowd = 128;
const scenes = 'samples/scenes';
const photoNames = readdirSync(scenes).filter((name) => name.endsWith('.jpg')).map((name) => `${scenes}/${name}`);
const photos = photoNames.map((name) => readFileSync(name));

const say = (text) => process.stderr.write(`${text}\n`);
const number = (value, digits = 1) => (Number.isFinite(value) ? value.toFixed(digits) : '-');
const fine = (run) => run.answers.filter((answer) => answer.status === 200);
const times = (answers) => answers.map((answer) => answer.ms);
const rate = (run) => fine(run).filter((answer) => answer.at <= run.seconds).length / run.seconds;
const lines = [];
const row = (...cells) => lines.push(`| ${cells.join(' | ')} |`);
const header = (...cells) => { row(...cells); row(...cells.map(() => '---')); };

function cells(run) {
    const ms = times(fine(run));
    return [number(rate(run), 2), ...[0.5, 0.95, 0.99].map((share) => number(percentile(ms, share), 0)), run.answers.length - ms.length];
}

try {
    say('the library\'s own batches');
    const text = execFileSync(bench, ['serving', '--model', model, '--image', photoNames[0], '--batch', `${batch}`, '--clients', `${most}`,
        '--rounds', '3', '--seconds', `${seconds / 5}`], { encoding: 'utf8' });
    const libraryRates = text.split('\n').map((line) => line.match(/^\s*\d+\s+([\d.]+)\s+[\d.]+\s+[\d.]+$/)?.[1]).filter(Boolean).map(Number);
    const library = percentile(libraryRates, 0.5);
    const inProcess = text.match(/median of requests.*/)[0];

    const batching = await atrous(tool, model, threads, batch, queue, photos);
    const alone = await atrous(tool, model, threads, 1, queue, photos);
    const plain = await peer('bench/load/peer.mjs', onnx, threads, photos);

    say('the same labels?');
    let same = 0, pixels = 0;
    for (let i = 0; i < photos.length; i++) {
        const ours = batching.labels(await post(batching, batching.bodies[i])), theirs = plain.labels(await post(plain, plain.bodies[i]));
        if (ours.length !== theirs.length) throw new Error(`${photoNames[i]}: ${ours.length} labels beside ${theirs.length}`);
        for (let at = 0; at < ours.length; at++) same += ours[at] === theirs[at] ? 1 : 0;
        pixels += ours.length;
    }
    for (const target of [batching, alone, plain]) {
        await closed(target, most, Math.min(2, seconds));
        await settled(target);
    }

    header('clients', 'server', 'requests/s', 'p50 ms', 'p95 ms', 'p99 ms', 'not 200');
    const runs = {};
    for (const clients of [1, 2, 4, 8, most]) {
        const servers = { 'Atrous': batching, 'Atrous, no batching': alone, 'onnxruntime-node': plain };
        if (clients === 1) delete servers['Atrous, no batching'];
        for (const [name, target] of Object.entries(servers)) {
            say(`${clients} clients, ${name}`);
            const run = await closed(target, clients, seconds);
            await settled(target);
            (runs[name] ??= {})[clients] = run;
            row(clients, name, ...cells(run));
        }
    }
    const saturation = Math.max(...Object.values(runs.Atrous).map(rate));
    const peerSaturation = Math.max(...Object.values(runs['onnxruntime-node']).map(rate));
    const unloaded = percentile(times(fine(runs.Atrous[1])), 0.5);

    say('half load');
    const even = await open(batching, saturation / 2, seconds);
    await settled(batching);
    const poisson = await open(batching, saturation / 2, seconds, seeded(1));
    await settled(batching);
    say(`${overload} times overload`);
    const flood = await closed(batching, crowd, seconds, Math.round(saturation * overload));
    const agent = new Agent({ keepAlive: true });
    const after = [];
    for (let i = 0; i < 5; i++) after.push(await post(batching, batching.bodies[i % photos.length], agent));
    agent.destroy();
    row(`half load, evenly (${number(saturation / 2)}/s)`, 'Atrous', ...cells(even));
    row(`half load, Poisson (${number(saturation / 2)}/s)`, 'Atrous', ...cells(poisson));
    row(`${overload} times overload (${number(saturation * overload)}/s)`, 'Atrous', ...cells(flood));

    const refused = flood.answers.filter((answer) => answer.status === 503), served = fine(flood);
    const strange = flood.answers.length - refused.length - served.length;
    const [evenP99, poissonP99] = [even, poisson].map((run) => percentile(times(fine(run)), 0.99));
    lines.push('');
    header('measure', 'value', 'target');
    row('throughput at saturation, Atrous', `${number(saturation, 2)}/s`, '');
    row('... of onnxruntime-node\'s', `${number(saturation / peerSaturation, 2)} times`, '');
    row('... of the library\'s own batches, over HTTP, decoding and client on the same cores included', `${number(100 * saturation / library)} % of ${number(library, 2)}/s`, '');
    row('requests beside batches in one process (`Atrous.Bench serving`)', inProcess.replace('median of requests / library: ', ''), '0.95 (pixels)');
    row('unloaded latency (1 client): median, p99', `${number(unloaded, 0)} ms, ${number(percentile(times(fine(runs.Atrous[1])), 0.99), 0)} ms`, '');
    row('p99 at half load, evenly spaced / unloaded median', number(evenP99 / unloaded, 2), 'under 2.5');
    row('p99 at half load, Poisson / unloaded (4.3 for any server that takes the same time for each, M/D/1)', number(poissonP99 / unloaded, 2), '');
    row(`throughput kept at ${overload} times overload`, `${number(100 * rate(flood) / saturation)} %; the clients took ${number(100 * flood.cpu / flood.seconds / threads)} % of the same cores`, 'kept');
    row('refused: how many, p50, p99', `${refused.length}, ${number(percentile(times(refused), 0.5))} ms, ${number(percentile(times(refused), 0.99))} ms`, 'quick');
    row('neither served nor refused with 503', strange, '0');
    row('the next 5 requests, one by one', after.map((answer) => `${answer.status} in ${number(answer.ms, 0)} ms`).join(', '), 'at once');
    row('pixels with the same label as onnxruntime-node', `${number(100 * same / pixels, 3)} %`, '');

    const f = JSON.parse(facts);
    console.log(`## Server under load

\`bench/load/run.sh --seconds ${seconds}\` on ${new Date().toISOString().slice(0, 10)}, commit ${f.commit}: ${cpus()[0].model}, ${threads} cores, ${Math.round(totalmem() / 2 ** 30)} GB; .NET ${f.dotnet}, Node
${process.versions.node}, onnxruntime-node ${f.ort}, sharp ${plain.sharp}, autocannon ${f.autocannon}. The model in the box, ${threads} threads each, the ${photos.length} JPEGs of ${scenes} (480x360)
in turns, label bytes as the answer; servers and clients on the same cores. Batches of up to ${batch}, a queue of ${queue}. Fixed numbers of
clients are autocannon's, each waiting for its answer; at overload ${crowd} of them send so many a second. At half load requests come at
their times, answered or not.
`);
    console.log(lines.join('\n'));
} finally {
    stopAll();
}
process.exit(0);
