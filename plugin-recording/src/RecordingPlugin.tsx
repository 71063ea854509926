import { FlexPlugin } from '@twilio/flex-plugin';
import type * as Flex from '@twilio/flex-ui';
import * as React from 'react';
import { RecordingControls } from './components/RecordingControls';
import { RecordingStatus } from './components/RecordingStatus';
import { registerNotifications } from './flex/notifications';
import { createServices } from './flex/services';
import { withOurs } from './strings/text';

export class RecordingPlugin extends FlexPlugin {
  constructor() {
    super('plugin-recording');
  }

  async init(flex: typeof Flex, manager: Flex.Manager): Promise<void> {
    manager.strings = withOurs(manager.strings);
    registerNotifications();
    const services = createServices(manager);
    // Listeners, not a replacement: an action can be replaced by one plugin only.
    flex.Actions.addListener('beforeAcceptTask', services.beforeAccept);
    flex.Actions.addListener('afterAcceptTask', services.afterAccept);
    // Flex holds the customer by the one pair of actions, and colleagues and external parties by the other.
    for (const whom of ['Call', 'Participant'] as const) {
      flex.Actions.addListener(`afterHold${whom}`, services.afterHold);
      flex.Actions.addListener(`afterUnhold${whom}`, services.afterUnhold);
    }
    if (services.afterComplete) flex.Actions.addListener('afterCompleteTask', services.afterComplete);

    const status = <RecordingStatus key="flex-custody-status" services={services} />;
    flex.TaskCanvasHeader.Content.add(status, { sortOrder: 1 });
    flex.Supervisor.TaskCanvasHeader.Content.add(status, { sortOrder: 1 });
    flex.CallCanvas.Content.add(<RecordingControls key="flex-custody-controls" services={services} />, {
      sortOrder: -1,
    });
    services.begin();
  }
}
