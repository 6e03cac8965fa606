// The two ways to load a server. Closed: autocannon, so many clients of which each waits for its answer, as fast as that goes
// or at a rate of all together. Open: requests at their times, whether or not earlier ones were answered. Both give
// [{status, ms, at}], `at` in seconds from the start, and the processor time that the clients themselves took, in seconds.
import autocannon from 'autocannon';
import { Agent, request as httpRequest } from 'node:http';

export function closed(target, connections, seconds, overallRate = undefined) {
    const answers = [];
    return new Promise((resolve, reject) => {
        const start = performance.now(), before = process.cpuUsage();
        const run = autocannon({
            url: target.url, connections, duration: seconds, timeout: 120, overallRate,
            requests: target.bodies.map((body) => ({ method: 'POST', path: target.path, headers: target.headers, body })),
        }, (error) => (error ? reject(error) : resolve({ answers, seconds: (performance.now() - start) / 1000, cpu: taken(before) })));
        run.on('response', (_, status, __, ms) => answers.push({ status, ms, at: (performance.now() - start) / 1000 }));
    });
}

export async function open(target, rate, seconds, random = null) {
    const agent = new Agent({ keepAlive: true });
    const start = performance.now(), before = process.cpuUsage();
    const pending = [];
    for (let next = 0, i = 0; next < seconds; i++) {
        const wait = start + next * 1000 - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        pending.push(post(target, target.bodies[i % target.bodies.length], agent, start));
        // Evenly spaced, or as independent users come (a Poisson process).
        next += random ? -Math.log(1 - random()) / rate : 1 / rate;
    }
    const answers = await Promise.all(pending);
    agent.destroy();
    return { answers, seconds, cpu: taken(before) };
}

const taken = (before) => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
};

export function post(target, body, agent, start = performance.now()) {
    const begun = performance.now();
    return new Promise((resolve) => {
        const done = (status, chunks, headers) => resolve({
            status, headers, ms: performance.now() - begun, at: (performance.now() - start) / 1000, body: Buffer.concat(chunks),
        });
        const request = httpRequest(new URL(target.path, target.url), {
            method: 'POST', agent, headers: { ...target.headers, 'Content-Length': body.length },
        }, (response) => {
            const chunks = [];
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('end', () => done(response.statusCode, chunks, response.headers));
            response.on('error', () => done(0, [], {}));
        });
        request.on('error', () => done(0, [], {}));
        request.end(body);
    });
}

// A server may go on with requests whose clients are gone: the next turn begins when it has answered one more.
export async function settled(target) {
    await post(target, target.bodies[0]);
    await new Promise((resolve) => setTimeout(resolve, 500));
}

export const percentile = (values, share) => {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted.length === 0 ? NaN : sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
};

// The same numbers in every run (Numerical Recipes' generator).
export function seeded(seed) {
    return () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}
