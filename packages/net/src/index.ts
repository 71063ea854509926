export { type AgentOptions, createAgent, proxyAgent, sharedAgent } from './agents.ts';
export { answerTo, NO_ANSWER } from './answer-to.ts';
export { inTime } from './in-time.ts';
export { orAborted } from './or-aborted.ts';
export { isPrivateHost, isPublicAddress, NOT_PUBLIC, publicLookup } from './public-address.ts';
export { sendForStatus } from './send-for-status.ts';
export { type RequestOptions, sendRequest } from './send-request.ts';
export { PROXY_REFUSED, ProxyRefusal } from './tunnel.ts';
export { TOO_LONG, type WholeAnswer, type WholeLimits, wholeAnswer } from './whole-answer.ts';
