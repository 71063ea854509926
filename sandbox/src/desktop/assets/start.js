// Logs in as whom the address names, and starts the real Flex UI.
(async () => {
  // Two tabs are two people here, while Flex keeps one login for the whole browser.
  const shared = /^TWILIO_FLEX_SSO/;
  for (const name of ['getItem', 'setItem', 'removeItem']) {
    const own = Storage.prototype[name];
    Storage.prototype[name] = function (key, ...more) {
      return own.call(shared.test(key) ? sessionStorage : this, key, ...more);
    };
  }
  // Flex looks every 15 to 20 s, and not before it has been up for some seconds, whether its token is about to expire. A
  // new token that a control asks for is due at once.
  const looks = new Map();
  let due = false;
  const { setInterval, clearInterval } = window;
  window.setInterval = (run, ms, ...more) => {
    const id = setInterval(run, ms, ...more);
    if (ms >= 15_000 && ms <= 20_100 && typeof run === 'function') {
      looks.set(id, run);
      if (due) setTimeout(run);
      due = false;
    }
    return id;
  };
  // A second attempt would fetch a second token, and the first would then be refused.
  window.clearInterval = (id) => {
    looks.delete(id);
    clearInterval(id);
  };

  // Flex drops the query as it moves on; a reload is still the same person.
  const kept = sessionStorage.getItem('sandbox-login') ?? '';
  const who = /[?&](worker|roles)=/.test(location.search) ? location.search : kept;
  sessionStorage.setItem('sandbox-login', who);
  const answer = await fetch(`/flex/login${who}`, { method: 'POST' });
  const login = await answer.json();
  if (!answer.ok) {
    document.getElementById('container').textContent = login.error;
    return;
  }
  localStorage.setItem('TWILIO_FLEX_SSO', JSON.stringify(login.session));
  localStorage.setItem('TWILIO_FLEX_SSO_IS_TOKEN_BEING_UPDATED', 'false');

  const events = new EventSource(`/flex/events?worker=${login.session.worker_sid}`);
  events.addEventListener('token', () => {
    const session = JSON.parse(localStorage.getItem('TWILIO_FLEX_SSO') ?? '{}');
    const expiration = new Date(Date.now() + 60_000).toISOString();
    localStorage.setItem('TWILIO_FLEX_SSO', JSON.stringify({ ...session, expiration }));
    due = looks.size === 0;
    for (const look of looks.values()) look();
  });

  window.appConfig = {
    sso: { accountSid: login.session.account_sid },
    pluginService: { enabled: true },
    plugins: login.plugins,
    logLevel: 'warn',
    serviceBaseUrl: 'https://flex-custody.twil.io',
  };
  Twilio.Flex.runDefault(window.appConfig, '#container').catch((error) => {
    document.getElementById('container').textContent = `Flex did not start: ${error?.message ?? error}`;
  });
})();
