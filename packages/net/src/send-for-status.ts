import { answerTo } from './answer-to.ts';
import { type RequestOptions, requestTo } from './send-request.ts';

/**
 * One request and the status of its answer. Of the body at most `mostBytes` are read and dropped, within the same limit; how
 * the body ends does not matter. No redirect is followed.
 * @throws as {@link answerTo}
 */
export async function sendForStatus(
  url: string,
  options: RequestOptions & { mostBytes: number },
): Promise<number> {
  const { body, limitMs, mostBytes, signal } = options;
  const end = performance.now() + limitMs;
  const answer = await answerTo(requestTo(url, options), { answerMs: limitMs, body, signal });
  const timer = setTimeout(() => answer.destroy(), Math.max(0, end - performance.now()));
  try {
    let bytes = 0;
    for await (const piece of answer as AsyncIterable<Buffer>) {
      bytes += piece.byteLength;
      if (bytes > mostBytes) break;
    }
  } catch {
    // The status is known.
  } finally {
    clearTimeout(timer);
  }
  return answer.statusCode ?? 0;
}
