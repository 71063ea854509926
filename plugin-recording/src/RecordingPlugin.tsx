import { FlexPlugin } from '@twilio/flex-plugin';
import type * as Flex from '@twilio/flex-ui';

export class RecordingPlugin extends FlexPlugin {
  constructor() {
    super('plugin-recording');
  }

  async init(_flex: typeof Flex, _manager: Flex.Manager): Promise<void> {}
}
