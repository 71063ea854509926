import { loadPlugin } from '@twilio/flex-plugin';
import { RecordingPlugin } from './RecordingPlugin';

loadPlugin(RecordingPlugin);
