import { Button } from '@twilio-paste/core/button';
import { Stack } from '@twilio-paste/core/stack';
import { Text } from '@twilio-paste/core/text';
import * as React from 'react';
import type { PanelDeps } from '../panel-deps';
import { whyKey } from '../strings/strings';
import { Notice, Progress } from './Notice';
import { type ConsentOf, type ConsentSteps, useConsent } from './useConsent';

interface Props {
  deps: PanelDeps;
  of: ConsentOf;
  /** The question is not shown when the call is over. */
  live: boolean;
  /** The vendor's element, which both enrols and verifies: it is not there before the caller consents. */
  children: React.ReactNode;
}

/** Asks whether the caller consents, and has the answer written down, before anything can listen. */
export function ConsentGate({ deps, of, live, children }: Props): JSX.Element {
  const steps = useConsent(deps, of);
  const { kind } = steps.consent;
  // When a pressed button disappears, the focus must not return to the top of the page.
  const place = React.useRef<HTMLDivElement>(null);
  const shown = React.useRef(kind);
  React.useEffect(() => {
    if (shown.current !== kind && document.activeElement === document.body) place.current?.focus();
    shown.current = kind;
  }, [kind]);
  return (
    <div ref={place} tabIndex={-1} style={{ outline: 'none' }}>
      {!live && (kind === 'asking' || kind === 'refused') ? (
        <div role="status">
          <Text as="p">{deps.text('FlexCustodyVoiceEnded')}</Text>
        </div>
      ) : (
        <Step text={deps.text} steps={steps}>
          {children}
        </Step>
      )}
    </div>
  );
}

function Step({
  text,
  steps: { consent, decide, retry, askAgain },
  children,
}: {
  text: PanelDeps['text'];
  steps: ConsentSteps;
  children: React.ReactNode;
}): JSX.Element {
  switch (consent.kind) {
    case 'not-needed':
      return <>{children}</>;
    case 'given':
      return (
        <Stack orientation="vertical" spacing="space40">
          {children}
          <Button variant="link" size="reset" onClick={() => decide('withdrawn')}>
            {text('FlexCustodyVoiceWithdraw')}
          </Button>
        </Stack>
      );
    case 'writing':
      return <Progress label={text('FlexCustodyVoiceWriting')} />;
    case 'unwritten':
      return (
        <Notice
          title={text('FlexCustodyVoiceUnwrittenTitle')}
          action={{ label: text('FlexCustodyVoiceRetry'), onClick: retry }}
        >
          {text('FlexCustodyVoiceUnwritten', { why: text(whyKey(consent.failure)) })}
        </Notice>
      );
    case 'refused':
      return (
        <Stack orientation="vertical" spacing="space40">
          <div role="status">
            <Text as="p">{text('FlexCustodyVoiceIsRefused')}</Text>
          </div>
          <Button variant="secondary" size="small" onClick={askAgain}>
            {text('FlexCustodyVoiceAskAgain')}
          </Button>
        </Stack>
      );
    default:
      return (
        <Stack orientation="vertical" spacing="space40">
          <Text as="p" fontWeight="fontWeightSemibold">
            {text('FlexCustodyVoiceAsk')}
          </Text>
          <Text as="p" color="colorTextWeak">
            {text('FlexCustodyVoiceAskHelp')}
          </Text>
          <Stack orientation="horizontal" spacing="space30">
            <Button variant="primary" size="small" onClick={() => decide('given')}>
              {text('FlexCustodyVoiceGiven')}
            </Button>
            <Button variant="secondary" size="small" onClick={() => decide('refused')}>
              {text('FlexCustodyVoiceRefused')}
            </Button>
          </Stack>
        </Stack>
      );
  }
}
