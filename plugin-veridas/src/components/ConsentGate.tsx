import { Button } from '@twilio-paste/core/button';
import { Stack } from '@twilio-paste/core/stack';
import { Text } from '@twilio-paste/core/text';
import * as React from 'react';
import type { Desk } from '../desk';
import { whyKey } from '../strings/strings';
import { Notice, Progress } from './Notice';
import { type ConsentOf, useConsent } from './useConsent';

interface Props {
  desk: Desk;
  of: ConsentOf;
  /** The vendor's element, which both enrols and verifies: it is not there before the caller consents. */
  children: React.ReactNode;
}

/** Asks whether the caller consents, and has the answer written down, before anything can listen. */
export function ConsentGate({ desk, of, children }: Props): JSX.Element {
  const { consent, decide, retry, askAgain } = useConsent(desk, of);
  const { text } = desk;
  switch (consent.kind) {
    case 'not-needed':
      return <>{children}</>;
    case 'given':
      return (
        <Stack orientation="vertical" spacing="space40">
          {children}
          <Button variant="destructive_link" size="small" onClick={() => decide('withdrawn')}>
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
