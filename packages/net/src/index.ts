export { answerTo, NO_ANSWER } from './answer-to.ts';
export { proxyAgent } from './proxy-agent.ts';
