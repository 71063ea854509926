/**
 * Loaded into a child of the local stack (`node --require`): its standard input is a pipe from the parent, which the
 * system closes when the parent is gone, however it went. Then the child ends too, the way a signal would end it.
 */
'use strict';
process.stdin.once('end', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.once('error', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.resume();
process.stdin.unref?.();
