/** Loaded into a double that has no setting for its address: it listens on loopback alone. */
'use strict';
const { Server } = require('node:net');
const listen = Server.prototype.listen;
Server.prototype.listen = function onLoopback(...args) {
  const [first, ...more] = args;
  const done = more.filter((arg) => typeof arg === 'function');
  if (first !== null && typeof first === 'object')
    return listen.call(this, { ...first, host: '127.0.0.1' }, ...done);
  return listen.call(this, Number(first) || 0, '127.0.0.1', ...done);
};
