import type { ITask } from '@twilio/flex-ui';
import { Box } from '@twilio-paste/core/box';
import { Button } from '@twilio-paste/core/button';
import * as React from 'react';
import type { Services } from '../flex/services';
import { failureKey, whyKey } from '../strings/strings';
import { StatusIcon } from './StatusIcon';
import { useView } from './useView';

/** In the call's canvas: what the agent can do about the recording, and why it is not as it should be. */
export function RecordingControls({ services, task }: { services: Services; task?: ITask }) {
  const view = useView(services, task);
  if (!view?.status) return null;
  const { call, status, controls, state } = view;
  const why = status.kind === 'not-recorded' ? services.text(whyKey(status.reason)) : undefined;
  const error = state.error && {
    key: `FlexCustodyFailed_${state.error.asked}` as const,
    why: services.text(failureKey(state.error.failure)),
  };
  const button =
    controls.start || state.busy === 'start'
      ? ('start' as const)
      : controls.resume || state.busy === 'resume'
        ? ('resume' as const)
        : controls.pause || state.busy === 'pause'
          ? ('pause' as const)
          : undefined;
  if (!why && !error && !button) return null;
  const again = status.kind === 'not-recorded' && status.reason !== 'on-demand';
  const labels = {
    start: again ? 'FlexCustodyStartAgain' : 'FlexCustodyStart',
    pause: 'FlexCustodyPause',
    resume: 'FlexCustodyResume',
  } as const;
  return (
    <Box
      display="flex"
      flexDirection="column"
      alignItems="center"
      rowGap="space30"
      padding="space40"
      flexShrink={0}
      fontSize="fontSize20"
      lineHeight="lineHeight20"
      textAlign="center"
      data-testid="flex-custody-controls"
    >
      {why && <Box color="colorTextWeak">{why}</Box>}
      {button && call.own && (
        <Button
          variant={button === 'pause' ? 'secondary' : 'primary'}
          size="small"
          loading={state.busy !== undefined}
          onClick={() => void services.recorder[button](call)}
          data-testid={`flex-custody-${button}`}
        >
          <StatusIcon kind={button === 'pause' ? 'paused' : 'recording'} />
          {services.text(labels[button])}
        </Button>
      )}
      <Box role="alert" color="colorTextError">
        {error && services.text(error.key, { why: error.why })}
      </Box>
    </Box>
  );
}
