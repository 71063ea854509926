import { Player } from '@twilio/player';
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';

/**
 * What flex-ui 2.17.1 does around @twilio/player when it opens a recording of Flex Insights: asks `url_provider` with the
 * agent's token, reads only `media_url` of the answer, hands it to the Player, and asks again at nine tenths of
 * `X-Amz-Expires`, which swaps the source under the listener.
 */
window.insights = {
  /** What went wrong, in words that Flex keeps to itself. */
  errors: [],
  /** Each link that `url_provider` gave: when (ms of the page's clock), and for how many seconds. */
  links: [],
  /** What the Player fetched whole, to draw it: status, bytes and SHA-256. */
  drawn: [],
  ready: false,
  player: undefined,
  hotLoads: 0,
  open,
};

/** The Player fetches through this; the answer passes through untouched. */
const fetchOfTheBrowser = window.fetch.bind(window);
window.fetch = async (...asked) => {
  const response = await fetchOfTheBrowser(...asked);
  if (response.url.includes('/media/')) void note(response.clone());
  return response;
};

async function note(response) {
  const body = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
  const sha256 = Array.from(digest, (octet) => octet.toString(16).padStart(2, '0')).join('');
  window.insights.drawn.push({ status: response.status, bytes: body.byteLength, sha256 });
}

async function secureUrl(urlProvider, token) {
  const response = await fetch(urlProvider, {
    headers: { Authorization: `Basic ${btoa(`token:${token}`)}` },
  });
  if (!response.ok) throw new Error(`CONVERSATION_SERVICE_PRESIGNED_URL_FETCH_FAILED ${response.status}`);
  const { media_url: mediaUrl } = await response.json();
  const seconds = Number.parseInt(new URL(mediaUrl).searchParams.get('X-Amz-Expires') ?? '', 10);
  window.insights.links.push({ at: performance.now(), seconds, url: mediaUrl });
  return { mediaUrl, seconds };
}

/** @returns a promise that is kept once the first link is with the Player */
async function open(urlProvider, token) {
  const root = createRoot(document.getElementById('player'));
  const show = (recordingUrl) =>
    root.render(
      createElement(Player, {
        recordingUrl,
        playbackRate: 'normal',
        channels: [{ name: 'customer' }, { name: 'others' }],
        onReady: (player) => {
          window.insights.player = player;
          window.insights.ready = true;
          player.on('hot-load', () => {
            window.insights.hotLoads += 1;
          });
        },
        onError: (error) => window.insights.errors.push(`INSIGHTS_PLAYER_PLAYBACK_FAILED ${error}`),
      }),
    );
  const renew = async () => {
    try {
      const { mediaUrl, seconds } = await secureUrl(urlProvider, token);
      show(mediaUrl);
      if (seconds > 0) setTimeout(renew, seconds * 900);
    } catch (error) {
      window.insights.errors.push(error.message);
    }
  };
  await renew();
}
