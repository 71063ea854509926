/**
 * Loaded into twilio-run (`node --require`), and by inheritance into the process it forks for each request: makes it
 * keep two of the platform's rules, and one of this machine's. A Function is ended after 10 s, whatever it is doing;
 * nothing listens beyond loopback; no child outlives its parent.
 */
'use strict';
const childProcess = require('node:child_process');
const net = require('node:net');

const runMs = Number(process.env.FUNCTION_RUN_MS ?? 10_000);
const isFunction = process.send !== undefined && /functionRunner(\.js)?$/.test(process.argv[1] ?? '');

if (isFunction) {
  process.once('disconnect', () => process.exit(1));
} else {
  const { fork } = childProcess;
  childProcess.fork = (...args) => {
    const child = fork(...args);
    // From outside: a Function that keeps its thread busy would never see a timer of its own.
    const clock = setTimeout(() => child.kill('SIGKILL'), runMs);
    child.once('exit', () => clearTimeout(clock));
    return child;
  };

  const { listen } = net.Server.prototype;
  net.Server.prototype.listen = function (port, ...rest) {
    const bare = (typeof port === 'number' || typeof port === 'string') && typeof rest[0] !== 'string';
    return bare ? listen.call(this, Number(port), '127.0.0.1', ...rest) : listen.call(this, port, ...rest);
  };

  require('./end-with-parent.cjs');
}
