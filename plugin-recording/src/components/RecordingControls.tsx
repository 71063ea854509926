import { Button, type ITask, type ThemeProps, withTheme } from '@twilio/flex-ui';
import * as React from 'react';
import type { Services, View } from '../flex/services';
import { failureKey, type StringKey, whyKey } from '../strings/strings';
import { StatusIcon } from './StatusIcon';
import { useView } from './useView';

interface Props extends ThemeProps {
  services: Services;
  /** Handed in by Flex, as to every child of its call canvas. */
  task?: ITask;
}

/** In the call's canvas: what the agent can do about the recording, and why it is not as it should be. */
function Controls({ services, task, theme }: Props) {
  const view = useView(services, task);
  if (!view?.status) return null;
  const { call, status, state } = view;
  const why = status.kind === 'not-recorded' ? services.text(whyKey(status.reason)) : undefined;
  const error =
    state.error &&
    services.text(`FlexCustodyFailed_${state.error.asked}`, {
      why: services.text(failureKey(state.error.failure)),
    });
  const act = actOf(view);
  if (!why && !error && !act) return null;
  return (
    <div
      style={{
        display: 'flex',
        flexDirection: 'column',
        alignItems: 'center',
        flexShrink: 0,
        rowGap: 8,
        padding: '12px 16px 0',
        fontSize: 12,
        lineHeight: '16px',
        textAlign: 'center',
      }}
      data-testid="flex-custody-controls"
    >
      {why && <div>{why}</div>}
      {act && (
        // Flex's own: its theme is the desktop's, whichever that is. Busy, it keeps the focus.
        <Button
          variant={act === 'pause' ? 'secondary' : 'primary'}
          size="small"
          aria-disabled={state.busy !== undefined}
          onClick={() => void services.recorder[act](call)}
          data-testid={`flex-custody-${act}`}
        >
          <span style={{ display: 'flex', alignItems: 'center', columnGap: 6 }}>
            <StatusIcon kind={state.busy ? 'starting' : act === 'pause' ? 'paused' : 'recording'} />
            {services.text(labelOf(act, view))}
          </span>
        </Button>
      )}
      {/* Always there, so that what appears in it is said. */}
      <div role="alert" style={{ color: theme?.tokens?.textColors?.colorTextError }}>
        {error}
      </div>
    </div>
  );
}

type Act = 'start' | 'pause' | 'resume';

function actOf({ call, controls, state }: View): Act | undefined {
  if (!call.own) return undefined;
  if (state.busy) return state.busy;
  return (['start', 'resume', 'pause'] as const).find((act) => controls[act]);
}

function labelOf(act: Act, { status, state }: View): StringKey {
  if (act === 'pause') return state.busy ? 'FlexCustodyPausing' : 'FlexCustodyPause';
  if (act === 'resume') return state.busy ? 'FlexCustodyResuming' : 'FlexCustodyResume';
  if (state.busy) return 'FlexCustodyStarting';
  const again = status?.kind === 'not-recorded' && status.reason !== 'on-demand';
  return again ? 'FlexCustodyStartAgain' : 'FlexCustodyStart';
}

export const RecordingControls = withTheme(Controls);
