/**
 * Double of Veridas's closed element: the same name, the same parameters, the same requests to the Functions. It analyses
 * no audio; it waits for the seconds that its configuration names, and then succeeds.
 */
(() => {
  const name = 'daspeak-streaming-web-agent-twilio';
  if (customElements.get(name)) return;

  const style = `
    :host { display: block; font: 14px/1.4 system-ui, sans-serif; }
    button { font: inherit; padding: 6px 12px; margin: 0 8px 8px 0; border: 1px solid #606b85; border-radius: 4px;
      background: #fff; color: #121c2d; cursor: pointer; }
    button:disabled { opacity: 0.6; cursor: default; }
    p { margin: 0; }
    [role='alert'] { color: #ad1111; }`;

  class Agent extends HTMLElement {
    constructor() {
      super();
      const root = this.attachShadow({ mode: 'open' });
      const part = (tag, properties, ...children) => {
        const element = Object.assign(document.createElement(tag), properties);
        element.append(...children);
        return element;
      };
      this.buttons = [
        part('button', { type: 'button', textContent: 'Enrol', onclick: () => this.run('register') }),
        part('button', { type: 'button', textContent: 'Verify', onclick: () => this.run('verify') }),
      ];
      this.state = part('p', { role: 'status', textContent: 'Ready' });
      this.fault = part('p', { role: 'alert' });
      root.append(part('style', { textContent: style }), ...this.buttons, this.state, this.fault);
    }

    /** A parameter as it is now: the property, else the attribute. */
    now(parameter) {
      return this[parameter] ?? this.getAttribute(parameter) ?? '';
    }

    async run(kind) {
      for (const button of this.buttons) button.disabled = true;
      this.fault.textContent = '';
      let streamSid;
      try {
        if (this.now('callInProgress') !== 'true') throw new Error('no call is in progress');
        const { utils } = this;
        const id = this.now('callerId');
        const known = kind === 'verify' ? await utils.getCredential(id) : undefined;
        if (kind === 'verify' && known === undefined)
          throw new Error('no voice is enrolled under this number');
        this.state.textContent = 'Connecting';
        const token = await this.ask(this.config.urlGetTemporaryToken, {});
        if (!/^\w+ [\w.~+/=-]+$/.test(token)) throw new Error('the temporary token is not "<type> <token>"');
        const started = await this.ask(this.config.urlStartStreaming, {
          url: this.config.daspeakStreamingAudioUrl,
        });
        streamSid = JSON.parse(started).streamSid;
        this.state.textContent = 'Listening';
        const seconds = Number(this.config[kind].audioTotalDuration);
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
        await this.stop(streamSid);
        streamSid = undefined;
        if (kind === 'register') await utils.storeCredential(id, `voice of ${id}`);
        this.state.textContent = kind === 'register' ? 'Success: enrolled' : 'Success: verified';
      } catch (error) {
        this.state.textContent = 'Ready';
        this.fault.textContent = `Error: ${error.message}`;
        if (streamSid !== undefined) await this.stop(streamSid).catch(() => {});
      } finally {
        for (const button of this.buttons) button.disabled = false;
      }
    }

    stop(streamSid) {
      return this.ask(this.config.urlStopStreaming, { streamSid });
    }

    /** The Flex token and the call are read for each request: the one is renewed, the other may be transferred. */
    async ask(url, more) {
      const body = new URLSearchParams({
        Token: this.now('securityToken'),
        callSid: this.now('callSid'),
        taskSid: this.now('taskSid'),
        conferenceSid: this.now('conferenceSid'),
        ...more,
      });
      const response = await fetch(url, { method: 'POST', body }).catch(() => {
        throw new Error(`${new URL(url).pathname} cannot be reached`);
      });
      const text = await response.text();
      if (!response.ok)
        throw new Error(`${new URL(url).pathname} answered ${response.status} ${text}`.trim());
      return text;
    }
  }

  customElements.define(name, Agent);
})();
