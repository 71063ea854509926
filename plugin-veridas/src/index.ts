import { loadPlugin } from '@twilio/flex-plugin';
import { VeridasPlugin } from './VeridasPlugin';

loadPlugin(VeridasPlugin);
