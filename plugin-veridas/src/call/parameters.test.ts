import { callerId, customerLeg, elementParameters } from './parameters';

const sid = (prefix: string, digit: string) => prefix + digit.repeat(32);
const task = { taskSid: sid('WT', '1'), attributes: {} };
const agent = { participantType: 'agent', callSid: sid('CA', '9') };
const customer = { participantType: 'customer', callSid: sid('CA', '2') };

describe('the customer leg', () => {
  it('is the call_sid of an inbound task, whatever the conference says', () => {
    const inbound = {
      ...task,
      attributes: { call_sid: sid('CA', '1') },
      conference: { participants: [customer] },
    };
    expect(customerLeg(inbound, undefined)).toBe(sid('CA', '1'));
  });

  it('is the customer of the conference where the task has no call_sid', () => {
    expect(customerLeg({ ...task, conference: { participants: [agent, customer] } }, undefined)).toBe(
      sid('CA', '2'),
    );
  });

  it('is looked up in the store where the task has not heard of it', () => {
    const silent = { participantType: 'customer', callSid: undefined };
    expect(
      customerLeg(
        { ...task, conference: { participants: [agent, silent] } },
        { participants: [agent, customer] },
      ),
    ).toBe(sid('CA', '2'));
    const deep = { participantType: 'customer', mediaProperties: { callSid: sid('CA', '3') } };
    expect(customerLeg(task, { participants: [deep] })).toBe(sid('CA', '3'));
  });

  it('is unknown before there is one, and never the agent', () => {
    expect(customerLeg({ ...task, conference: { participants: [agent] } }, undefined)).toBeUndefined();
    expect(customerLeg({ ...task, attributes: { call_sid: 'nonsense' } }, undefined)).toBeUndefined();
    expect(customerLeg({ ...task, attributes: null }, undefined)).toBeUndefined();
  });
});

describe('the caller', () => {
  it('is who called, or who was called', () => {
    expect(callerId({ ...task, attributes: { from: '+34600', to: '+34910' } })).toBe('+34600');
    expect(
      callerId({ ...task, attributes: { direction: 'outbound', from: '+34910', outbound_to: '+34600' } }),
    ).toBe('+34600');
    expect(callerId({ ...task, attributes: { direction: 'outbound', from: '+34910' } })).toBeUndefined();
  });
});

it('hands the element strings, and null for what is not known yet', () => {
  const conference = { conferenceSid: sid('CF', '1'), participants: [customer] };
  expect(elementParameters(task, undefined, true, 'token')).toEqual({
    securityToken: 'token',
    callSid: null,
    callerId: null,
    taskSid: sid('WT', '1'),
    conferenceSid: null,
    callInProgress: 'true',
  });
  expect(elementParameters(task, conference, false, 'newer')).toMatchObject({
    securityToken: 'newer',
    callSid: sid('CA', '2'),
    conferenceSid: sid('CF', '1'),
    callInProgress: 'false',
  });
});
