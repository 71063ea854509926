import type { ITask } from '@twilio/flex-ui';
import { type FlexState, TaskHelper, useFlexSelector, withTaskContext } from '@twilio/flex-ui';
import { Box } from '@twilio-paste/core/box';
import { Heading } from '@twilio-paste/core/heading';
import * as React from 'react';
import type { StoredConference } from '../call/parameters';
import type { PanelDeps } from '../panel-deps';
import { ErrorBoundary } from './ErrorBoundary';
import { Notice } from './Notice';
import { PasteTheme } from './PasteTheme';
import { VoicePanel } from './VoicePanel';

interface Props {
  deps: PanelDeps;
  task?: ITask;
}

const titleId = 'flex-custody-voice-title';

function Region({ deps, task }: Props): JSX.Element | null {
  const taskSid = task?.taskSid;
  const stored = useFlexSelector<FlexState, StoredConference | undefined>((state) =>
    taskSid === undefined ? undefined : state.flex.conferences.states.get(taskSid)?.source,
  );
  // Seen for the sake of its change: what is handed on is read from the manager.
  useFlexSelector<FlexState, unknown>((state) => state.flex.session.ssoTokenPayload?.token);
  const live = task !== undefined && TaskHelper.isCallTask(task) && TaskHelper.isLiveCall(task);
  // Once mounted it stays until the task ends, as the guide asks: callInProgress says to the element that the call ended.
  const [lived, setLived] = React.useState<string>();
  React.useEffect(() => {
    if (live) setLived(taskSid);
  }, [live, taskSid]);
  if (!task || (!live && lived !== taskSid)) return null;
  const { text } = deps;
  return (
    <PasteTheme>
      <Box
        as="section"
        aria-labelledby={titleId}
        padding="space50"
        borderStyle="solid"
        borderWidth="borderWidth0"
        borderTopWidth="borderWidth10"
        borderColor="colorBorderWeaker"
      >
        <Heading as="h3" variant="heading50" id={titleId}>
          {text('FlexCustodyVoiceTitle')}
        </Heading>
        <ErrorBoundary
          otherwise={(again) => (
            <Notice
              title={text('FlexCustodyVoiceBrokenTitle')}
              action={{ label: text('FlexCustodyVoiceRetry'), onClick: again }}
            >
              {text('FlexCustodyVoiceBroken')}
            </Notice>
          )}
        >
          <VoicePanel key={taskSid} deps={deps} task={task} stored={stored} live={live} />
        </ErrorBoundary>
      </Box>
    </PasteTheme>
  );
}

export const VoiceRegion = withTaskContext(Region);
