// Turns what Flex UI says to Twilio towards this sandbox, and keeps everything else on this machine. No module: it must
// have run before the first line of Flex does.
(() => {
  const loopback = /^(127\.0\.0\.1|localhost|\[::1\])$/;
  const twilio = /(^|\.)(twilio\.com|twiliocdn\.com|twil\.io|twilio-internal\.com)$/;

  /** @param {string | URL} given @param {boolean} [socket] @returns {string} */
  function turned(given, socket) {
    const url = new URL(String(given), location.href);
    if (!/^(https?|wss?):$/.test(url.protocol)) return url.href;
    if (loopback.test(url.hostname)) return url.href;
    const here = socket ? location.origin.replace(/^http/, 'ws') : location.origin;
    // Requests to other hosts (a status page, a font, telemetry) are answered here.
    const way = twilio.test(url.hostname) ? 'twilio' : 'elsewhere';
    return `${here}/${way}/${url.hostname}${url.pathname}${url.search}`;
  }

  const { fetch } = window;
  window.fetch = (input, init) =>
    input instanceof Request
      ? fetch(new Request(turned(input.url), input), init)
      : fetch(turned(input), init);

  const { open } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...more) {
    return open.call(this, method, turned(url), ...(more.length > 0 ? more : [true]));
  };

  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(url, protocols) {
      super(turned(url, true), protocols);
    }
  };
  navigator.sendBeacon = () => true;

  // Sounds, images and scripts that an element asks for.
  for (const [type, name] of [
    [HTMLMediaElement, 'src'],
    [HTMLImageElement, 'src'],
    [HTMLScriptElement, 'src'],
    [HTMLLinkElement, 'href'],
  ]) {
    const own = Object.getOwnPropertyDescriptor(type.prototype, name);
    Object.defineProperty(type.prototype, name, {
      ...own,
      set(value) {
        own.set.call(this, turned(value));
      },
    });
  }
  const NativeAudio = window.Audio;
  window.Audio = class extends NativeAudio {
    constructor(url) {
      super(...(url === undefined ? [] : [turned(url)]));
    }
  };
})();
