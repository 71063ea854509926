export interface AlarmMeaning {
  /** `critical`: a recording or an agent's event is lost, may be lost, or is not made. `warning`: something is not done, and nothing is lost by waiting. */
  severity: 'critical' | 'warning';
  meaning: string;
  /** What a person does next. */
  next: string;
  /** The job, command or event that raises it. */
  raisedBy: string;
  /** The event that resolves it, besides `flex-custody alarms clear`; {@link onlyByHand} where none does. */
  resolvedBy: string;
}

/** No event resolves such an alarm. */
export const onlyByHand = 'only by `alarms clear`';

const byVerification = 'the copy is verified';
const bySuccess = 'the next run of the job that succeeds';
const byDelivery = 'the next webhook that is delivered; a start without CUSTODY_ALARM_WEBHOOK';
/** Its tries are used up, or another one cannot succeed. */
const failed = (job: string) => `the job \`${job}\`, when it fails for good`;

/**
 * Each alarm that the host raises, by its code. docs/alarms.md shows the same rows (a test compares them), and the type
 * {@link AlarmCode} lets nothing raise an alarm that has no row. A test reads the sources: each code is raised somewhere, and
 * resolved somewhere or only by hand.
 */
export const alarmTable = {
  // Calls that are not recorded.
  not_recorded: {
    severity: 'critical',
    meaning:
      'An agent is on a call that nothing records, or a plugin reported that it could not start a recording.',
    next: "Read the reason in the detail. Check that both plugins are released (`flex-custody doctor --only plugins`) and that the agent's browser loads them.",
    raisedBy:
      'the job `calls`, when nothing records a call 30 seconds after its agent joined; a report of the plugin',
    resolvedBy: 'the call named in it is recorded after all',
  },
  double_recording: {
    severity: 'warning',
    meaning: "Flex's own call recording is on beside the plugin: calls are recorded and billed twice.",
    next: 'Run `flex-custody setup` with the mode that you want: ours, theirs or both.',
    raisedBy: 'a report of the plugin',
    resolvedBy: onlyByHand,
  },
  calls_failed: {
    severity: 'critical',
    meaning:
      'The host could not read live calls for five minutes: a call without a recording would not be noticed.',
    next: "Check Twilio's API and the credentials: `flex-custody doctor --only account,workspace`.",
    raisedBy: 'the job `calls`, when it fails for the fifth minute in a row, or for good',
    resolvedBy: 'the next run of the job `calls` that succeeds',
  },
  call_failed: {
    severity: 'warning',
    meaning: 'The host could not read one live call until all tries were used up.',
    next: 'Nothing, if `calls_failed` is not open: the job `calls`, each minute, reads that call too.',
    raisedBy: failed('call'),
    resolvedBy: 'the next run of the job `call` or `calls` that succeeds',
  },
  resume_failed: {
    severity: 'critical',
    meaning:
      'A paused recording should have been resumed more than a minute ago, and Twilio could not be reached for it.',
    next: 'Check Twilio\'s API: `flex-custody doctor --only account`. The agent can press "Resume recording".',
    raisedBy: 'the job `watch-pause`, when it fails more than a minute after the pause should be over',
    resolvedBy: 'the pause is over',
  },
  pauses_failed: {
    severity: 'critical',
    meaning: 'The job that gives each open pause its timer failed: a pause may last until the agent ends it.',
    next: 'Check the database (`flex-custody doctor --only database`). The job runs again each minute.',
    raisedBy: failed('pauses'),
    resolvedBy: bySuccess,
  },
  reports_failed: {
    severity: 'warning',
    meaning: "Reports of plugins that waited for Twilio's IAM could not be processed.",
    next: 'Check IAM and the database: `flex-custody doctor --only iam,database`. The job runs again by itself.',
    raisedBy: failed('reports'),
    resolvedBy: bySuccess,
  },

  // Settings of the data source.
  data_source_invalid: {
    severity: 'warning',
    meaning:
      'The settings of the data source, or their file, cannot be used: the last good ones still apply.',
    next: 'Correct what the detail names: `flex-custody recorder settings show` has the version that applies.',
    raisedBy: 'reading the settings after they changed',
    resolvedBy: 'the settings are right again',
  },
  employees_invalid: {
    severity: 'warning',
    meaning: 'The file of employees cannot be used: the last good one still applies.',
    next: 'Correct the lines that the detail names (CUSTODY_EMPLOYEES_FILE).',
    raisedBy: 'reading the file after it changed',
    resolvedBy: 'the file is right again',
  },
  default_employee_invalid: {
    severity: 'warning',
    meaning:
      'The default employee was deleted, terminated or moved, or has an end date: recordings without an employee get none.',
    next: 'Choose another person: `flex-custody recorder settings set defaultOrganization=… defaultEmployee=…`.',
    raisedBy: 'looking at the default employee, each time the settings, the employees or the day change',
    resolvedBy: 'the default employee is valid again, or none is set',
  },

  // The stream of agents' events.
  shard_silent: {
    severity: 'warning',
    meaning:
      "A shard of the events' stream was not read for a minute, although a process has its lease. The shard's events wait in the stream; the lease is taken again by itself.",
    next: 'The detail has the process and, where that process raised it, the last failure: read its log, and `flex-custody recorder status`. Check that it reaches Kinesis and the database.',
    raisedBy: 'a process of the role recorder, at a look at the leases',
    resolvedBy: 'a successful read of the shard',
  },
  stream_silent: {
    severity: 'critical',
    meaning:
      'Calls are live, and no event has arrived since before they began (CUSTODY_STREAM_SILENT_MINUTES).',
    next: "Check in the Twilio Console that the sink is active and subscribed to TaskRouter's events, and look for errors 93101 to 93104 in its debugger.",
    raisedBy: 'a process of the role recorder, every 30 seconds',
    resolvedBy: 'an event arrives, or those calls end',
  },
  stream_unreadable: {
    severity: 'critical',
    meaning:
      "The shards of the events' stream cannot be listed: the stream's name or region, the credentials, a right, or the network is wrong. Events wait in the stream as long as its retention.",
    next: 'The detail has the reason. Compare the data-source settings and the policy in docs/recorder.md, "Kinesis".',
    raisedBy: 'a process of the role recorder, when ten tries in a row failed or the settings name no stream',
    resolvedBy: 'the shards are listed',
  },
  events_lost: {
    severity: 'critical',
    meaning:
      'The stream no longer keeps events that were not read: no process read it for longer than its retention, or the stream was replaced. The detail has the shard and the period.',
    next: 'Run `flex-custody recorder repair --since` with the beginning of that period, then `flex-custody alarms clear`. Set a longer retention of the stream.',
    raisedBy: 'a process of the role recorder, when it begins a shard',
    resolvedBy: onlyByHand,
  },

  // Sessions.
  long_call: {
    severity: 'warning',
    meaning:
      'A call has lasted as long as the data source calls long. The host closed its tracking; the recording is kept all the same.',
    next: 'Ask the supervisor of the agent in the detail whether the call is real. Agents sometimes leave a line open.',
    raisedBy: 'the tick of the sessions, and each event of the call',
    resolvedBy: 'the call ends',
  },
  sessions_failed: {
    severity: 'warning',
    meaning:
      'The policies could not be applied to the open sessions until all tries were used up: long calls and long holds are reported late.',
    next: "Read the host's log for the code; `flex-custody doctor --only database`.",
    raisedBy: failed('sessions'),
    resolvedBy: 'the next run of the job `sessions` that succeeds',
  },
  short_disputed: {
    severity: 'warning',
    meaning:
      "Calls look shorter than the minimum length by their events, and a recording or TaskRouter's own history says otherwise. The host keeps their audio.",
    next: '`flex-custody recorder short` names them, and what contradicts. Recordings that begin before an agent accepts, such as those of a menu, look so: raise no minimum length there.',
    raisedBy: 'the job `short-calls`, when it finds a further one',
    resolvedBy:
      'the next run of the job `short-calls` that finds none; 31 days after its close a call is looked at no more',
  },
  short_braked: {
    severity: 'warning',
    meaning:
      'The minimum length would delete the audio of unusually many calls. The host stopped before the first.',
    next: 'Look at `flex-custody recorder short` and at the setting `minimumSessionSeconds`. If that is what you want: `flex-custody recorder short --yes`.',
    raisedBy: 'the job `short-calls`, before its first deletion',
    resolvedBy: 'the next run within usual numbers',
  },
  short_failed: {
    severity: 'warning',
    meaning:
      'The audio of short calls could not be deleted, or the policy of retention, which says what is held, cannot be read; the detail has the code.',
    next: '`flex-custody doctor --only policy,certificates,bucket`. The job runs again by itself.',
    raisedBy: 'the job `short-calls`, when it fails for good or could not delete some recordings',
    resolvedBy: 'the next run of the job `short-calls` that succeeds, or that finds no minimum length',
  },
  long_hold: {
    severity: 'warning',
    meaning: 'A caller has been on hold as long as the data source calls long. Nothing was closed.',
    next: 'Tell the supervisor of the agent in the detail.',
    raisedBy: 'the tick of the sessions, and each event of the call',
    resolvedBy: 'the hold or the call ends',
  },
  recording_short: {
    severity: 'critical',
    meaning:
      'A verified recording is shorter than its part of the call, by more than 2 seconds and 2 %, and no reported pause explains it.',
    next: 'Listen to its end. If an agent or a Flow stopped it on purpose, `flex-custody alarms clear`. Otherwise look in the Twilio Console at the errors of its call.',
    raisedBy: 'the job `length`, some minutes after the recording is verified, or when its call has ended',
    resolvedBy: 'a later comparison, each hour or of a new copy, that finds the recording long enough',
  },
  length_failed: {
    severity: 'warning',
    meaning: 'The length of a recording could not be compared with its call until all tries were used up.',
    next: "Check Twilio's API and the credentials (`flex-custody doctor --only account`). The recording itself is stored and plays.",
    raisedBy: failed('length'),
    resolvedBy: 'the next comparison of the recording with its call',
  },
  recording_missing: {
    severity: 'critical',
    meaning:
      'A call that an agent took ended some time ago (CUSTODY_MISSING_MINUTES), and no recording of the segment has come, nor is there a reason why none is expected.',
    next: 'The detail has the reservation and the task. `flex-custody reconcile --since` with the day of the call takes in what Twilio has. If Twilio has none, look at the alarm `not_recorded` and at the plugins (`flex-custody doctor --only plugins`), then say why: `flex-custody completeness explain`.',
    raisedBy: 'the job `missing`, every five minutes, once for each segment',
    resolvedBy: 'a recording of the segment comes, or an operator or a late report says why there is none',
  },
  missing_failed: {
    severity: 'warning',
    meaning: 'The host could not look for recordings that have not come: such calls are reported late.',
    next: 'Check the database and Twilio (`flex-custody doctor --only database,account`). The job runs again every five minutes.',
    raisedBy: failed('missing'),
    resolvedBy: bySuccess,
  },
  segments_unexplained: {
    severity: 'critical',
    meaning:
      "Agents' segments of a day that is over have no recording in the catalog, no pause of their whole length, and no reason.",
    next: 'The detail has the days: `flex-custody completeness --day` lists the segments. `flex-custody reconcile --since` with the first day takes in recordings that the host was not told of; `flex-custody completeness explain` says why one is missing.',
    raisedBy: 'the job `completeness`, when a day is stated or its number changed',
    resolvedBy:
      'a later ledger of these days without any, within 31 days: recordings arrived, or operators gave reasons',
  },
  completeness_failed: {
    severity: 'warning',
    meaning: 'The statement of a day could not be written until all tries were used up.',
    next: 'The detail has the code. A right to write `statements/*` may be missing in the bucket (docs/deploy.md). It is tried again each hour.',
    raisedBy: failed('completeness'),
    resolvedBy: 'the next run of the job `completeness` that succeeds',
  },

  // Copies.
  copy_failed: {
    severity: 'critical',
    meaning:
      'A recording could not be copied until all tries were used up. The original stays at Twilio until it is deleted there.',
    next: 'The detail names the cause. Fix it (`flex-custody doctor`), then `flex-custody recordings retry RE…`. Outages are retried each hour without you.',
    raisedBy: failed('copy'),
    resolvedBy: byVerification,
  },
  setting_wrong: {
    severity: 'critical',
    meaning:
      'A setting of the bucket or of the KMS is wrong: a region, credentials, a key, a right. Recordings wait, none is lost, and none is copied meanwhile.',
    next: 'The detail names the setting and what to do. Then `flex-custody doctor`; what waits is taken up within the hour.',
    raisedBy: 'the first job that fails by the setting',
    resolvedBy: 'a recording is verified',
  },
  verify_failed: {
    severity: 'critical',
    meaning:
      'A copy could not be read back until all tries were used up, or several copies in a row were wrong.',
    next: 'The detail names the cause. Fix it (`flex-custody doctor --only bucket,key`), then `flex-custody recordings retry RE…`.',
    raisedBy: 'the job `verify`, when it fails for good, or several copies in a row are wrong',
    resolvedBy: byVerification,
  },
  object_rejected: {
    severity: 'warning',
    meaning: "A copy did not pass its check, or differs from Twilio's media. The host makes a new one.",
    next: "Wait for the new copy. If it happens often, look at who can write to the bucket, and at the Functions' log.",
    raisedBy: 'the jobs `verify` and `prove`',
    resolvedBy: byVerification,
  },
  object_lost: {
    severity: 'critical',
    meaning: 'An object that the catalog has is not in the bucket any more.',
    next: 'The detail says whether it is copied again. If Twilio has it no longer, restore the version or the backup of the bucket; then `flex-custody reconcile`.',
    raisedBy: 'the comparison of the bucket with the catalog, `catalog rebuild`, an erasure',
    resolvedBy: 'the object is there again, or a new copy is verified',
  },
  object_unreadable: {
    severity: 'warning',
    meaning:
      'The bucket has an object that the catalog does not know, and it cannot be opened or is no recording.',
    next: 'If an old key file is missing, add it to CUSTODY_KEY_FILE and run `flex-custody reconcile`. Otherwise find out who wrote the object.',
    raisedBy: 'the comparison of the bucket with the catalog',
    resolvedBy: byVerification,
  },
  object_unknown: {
    severity: 'warning',
    meaning:
      'The bucket has a recording that neither the catalog nor Twilio knows. It is kept; whose call it was is unproven.',
    next: 'After a loss of the database run `flex-custody catalog rebuild`. Otherwise find out who wrote the object.',
    raisedBy: 'the comparison of the bucket with the catalog, `catalog rebuild`',
    resolvedBy: onlyByHand,
  },
  sidecar_unreadable: {
    severity: 'warning',
    meaning: 'A sidecar in the bucket is of another recording, or is no sidecar.',
    next: 'Nothing, if the recording is verified: the host writes a new one. Otherwise find out who wrote the object.',
    raisedBy: '`catalog rebuild`',
    resolvedBy: 'the sidecar is written again',
  },
  describe_failed: {
    severity: 'warning',
    meaning: 'The sidecar of a verified recording could not be written. The recording plays.',
    next: 'Check the bucket and the signing key (`flex-custody doctor --only bucket,signing-key`). The host tries again each hour.',
    raisedBy: failed('describe'),
    resolvedBy: 'the sidecar is written',
  },
  sign_failed: {
    severity: 'warning',
    meaning:
      'Sidecars of an earlier release could not be signed: after a loss of the database their facts would be unproven.',
    next: 'Check the bucket and the signing key (`flex-custody doctor --only bucket,signing-key`). The job runs again by itself.',
    raisedBy: failed('sign'),
    resolvedBy: 'the next run of the job that succeeds, or finds nothing to sign',
  },
  source_deleted: {
    severity: 'critical',
    meaning: 'Twilio deleted the recording before the host could copy it. Its audio is lost.',
    next: "Find out who deletes recordings at Twilio: the Console's retention settings, another program, the account's audit events.",
    raisedBy: 'callback, copy and `reconcile`, when Twilio says that the recording is deleted',
    resolvedBy: byVerification,
  },
  import_refused: {
    severity: 'warning',
    meaning: 'An object of another bucket was not imported; the detail says why.',
    next: 'Look at the object. Fix the cause and run `flex-custody import` again: what is imported already is left alone.',
    raisedBy: '`import`',
    resolvedBy: byVerification,
  },
  import_without_twilio: {
    severity: 'warning',
    meaning:
      'Some imported recordings are not at Twilio any more: whose calls they are, and when they began, is unproven.',
    next: 'Nothing for playback by supervisors. The policy never erases such recordings: see docs/retention.md.',
    raisedBy: '`import`',
    resolvedBy: onlyByHand,
  },

  // Recordings that Twilio has encrypted.
  twilio_not_stored: {
    severity: 'critical',
    meaning:
      'Twilio recorded the call and stored nothing, because it had no valid public key to encrypt it for.',
    next: 'Add a public key in the Console: Voice, Settings, Recording encryption. This recording is lost.',
    raisedBy: 'callback, copy and `reconcile`, when Twilio says that it stored nothing',
    resolvedBy: byVerification,
  },
  twilio_key_unknown: {
    severity: 'critical',
    meaning: 'Twilio encrypted the recording for a public key whose private half this host does not have.',
    next: 'Add the private key that the detail names to CUSTODY_TWILIO_KEY_FILE, restart the host, then `flex-custody recordings retry RE…`.',
    raisedBy: 'callback, copy and `reconcile`',
    resolvedBy: byVerification,
  },
  twilio_key_wrong: {
    severity: 'critical',
    meaning: 'The private key under the right name in CUSTODY_TWILIO_KEY_FILE does not open the recording.',
    next: 'Put the key that belongs to that name into the file, restart the host, then `flex-custody recordings retry RE…`.',
    raisedBy: 'callback, copy and `reconcile`',
    resolvedBy: byVerification,
  },
  twilio_encryption_unreadable: {
    severity: 'critical',
    meaning: 'Twilio describes the encryption of the recording in a form that this release does not know.',
    next: 'Do not delete the original. Update flex-custody, then `flex-custody recordings retry RE…`.',
    raisedBy: 'callback, copy and `reconcile`',
    resolvedBy: byVerification,
  },

  // Links to tasks, and whose call it was.
  link_refused: {
    severity: 'warning',
    meaning:
      'What was said about whose call it is contradicts Twilio. The recording is kept and not linked to that task.',
    next: 'The reasons are in docs/linking.md. If a plugin or a Flow sends wrong SIDs, fix that; then `flex-custody recordings retry RE…`.',
    raisedBy: 'the link to the task: callback and job `link`',
    resolvedBy: 'the link is made, or better hints are proven',
  },
  link_failed: {
    severity: 'warning',
    meaning:
      'The task could not be asked or changed until all tries were used up. The recording plays, and its task does not show it.',
    next: "Check Twilio's API and the credentials (`flex-custody doctor --only account,workspace`). The host tries again each hour.",
    raisedBy: 'the link to the task: callback and job `link`, when it fails for good',
    resolvedBy: 'the link is made',
  },
  attributes_full: {
    severity: 'warning',
    meaning:
      "The task's attributes have no room for even the shortest link. The recording plays, and its task does not show it.",
    next: 'Make the attributes smaller where they are written (Studio, plugins): Twilio allows 4 KiB for most of its uses.',
    raisedBy: 'the link to the task: callback and job `link`',
    resolvedBy: 'the link is made',
  },
  attributes_unreadable: {
    severity: 'warning',
    meaning: "The task's attributes are no JSON object, so nothing is written to them. The recording plays.",
    next: 'Fix what writes those attributes, then `flex-custody recordings retry RE…` while the task exists.',
    raisedBy: 'the link to the task: callback and job `link`',
    resolvedBy: 'the link is made',
  },
  facts_failed: {
    severity: 'warning',
    meaning:
      'Twilio could not be asked who was on the call. Until it is, the recording is under every hold that names callers.',
    next: "Check Twilio's API (`flex-custody doctor --only account`), then `flex-custody recordings retry RE…`.",
    raisedBy: failed('facts'),
    resolvedBy: 'Twilio is asked with success',
  },
  measure_failed: {
    severity: 'warning',
    meaning:
      "Talk metrics could not be written into a task's conversation. Flex Insights lacks them for this call.",
    next: 'Check TaskRouter (`flex-custody doctor --only workspace`). Only the metrics are missing.',
    raisedBy: failed('measure'),
    resolvedBy: 'the next talk metrics, of any task, that are written',
  },

  // Proof, and originals at Twilio.
  proof_failed: {
    severity: 'critical',
    meaning:
      "The host's own copy differs from what Twilio serves now. Nothing is deleted, neither the copy nor the original.",
    next: 'Keep both. Compare them, and ask Twilio whether the original was changed.',
    raisedBy: 'the job `prove`',
    resolvedBy: byVerification,
  },
  prove_failed: {
    severity: 'warning',
    meaning:
      "A copy could not be compared with Twilio's media until all tries were used up. It stays verified, and its original is kept.",
    next: 'The detail names the cause; the host tries again after a day.',
    raisedBy: failed('prove'),
    resolvedBy: 'the copy is proven',
  },
  proof_impossible: {
    severity: 'warning',
    meaning: 'Twilio has the original no longer, so that the copy can never be proven. It stays verified.',
    next: 'Find out who deletes originals at Twilio before DELETE_SOURCE_AFTER does.',
    raisedBy: 'the job `prove`, where DELETE_SOURCE_AFTER is set',
    resolvedBy: onlyByHand,
  },
  source_kept: {
    severity: 'warning',
    meaning: 'An original that DELETE_SOURCE_AFTER should delete stays at Twilio; the detail says why.',
    next: 'Fix what the detail names: usually a copy or a sidecar that is not in the bucket as it was verified.',
    raisedBy: 'the jobs `sources` and `prove`',
    resolvedBy: 'the original is deleted, or the copy is proven',
  },
  sources_stopped: {
    severity: 'warning',
    meaning: 'No original is deleted: the keys do not open the copies, or the bucket keeps no versions.',
    next: '`flex-custody doctor --only key,versions` names the next step.',
    raisedBy: 'the job `sources`',
    resolvedBy: 'the next run of the job `sources` that comes to the end of what is due',
  },
  sources_failed: {
    severity: 'warning',
    meaning: 'The job that deletes originals failed; the originals stay at Twilio.',
    next: 'The detail names the cause. `flex-custody doctor` shows what to fix; the job runs again every 15 minutes.',
    raisedBy: failed('sources'),
    resolvedBy: bySuccess,
  },
  plain_kept: {
    severity: 'warning',
    meaning:
      '`import --delete-plain` left unencrypted objects in the old bucket: their copies cannot be opened now.',
    next: 'Check the keys (`flex-custody doctor --only key`), then run the import again.',
    raisedBy: '`import --delete-plain`',
    resolvedBy: 'the plain object is deleted',
  },

  // Keeping and erasing.
  clock_differs: {
    severity: 'warning',
    meaning:
      'The clocks of the database, the host and Twilio differ by more than five minutes. Nothing is erased or deleted.',
    next: 'Synchronise the clocks (NTP): `flex-custody doctor --only clock`.',
    raisedBy: 'the jobs `retention` and `sources`, `flex-custody erase`',
    resolvedBy: 'the next run that finds the clocks in agreement',
  },
  retention_braked: {
    severity: 'warning',
    meaning: 'The policy would erase unusually many recordings at once. The host stopped before the first.',
    next: 'Look at `flex-custody retention --dry-run`. If that is what you want: `flex-custody retention --yes`.',
    raisedBy: 'the job `retention`, before its first erasure',
    resolvedBy: 'the next run within usual numbers',
  },
  retention_failed: {
    severity: 'warning',
    meaning:
      'The policy in force cannot be read, or some recordings could not be erased; the detail says which.',
    next: '`flex-custody policy check`, `flex-custody doctor --only policy,certificates`. The job runs again by itself.',
    raisedBy: 'the job `retention`, when it fails for good or could not erase some recordings',
    resolvedBy: 'the next run of the job that succeeds, or finds nothing to erase',
  },
  erasure_stuck: {
    severity: 'critical',
    meaning: 'An erasure began more than a day ago and cannot be finished.',
    next: 'Run `flex-custody erase --recording RE… --reference … --yes` and read what it says; `flex-custody doctor --only bucket,certificates,account`.',
    raisedBy: 'the job `retention`, `flex-custody erase`',
    resolvedBy: 'the erasure is finished or taken back',
  },

  // The host's own work.
  repair_failed: {
    severity: 'warning',
    meaning:
      "TaskRouter's events could not be compared with the inbox. Events that the stream lost are missing meanwhile, and no short call is deleted.",
    next: 'The detail names the cause: `flex-custody doctor --only account,workspace`. It runs again by itself, and continues where it stopped.',
    raisedBy: failed('repair'),
    resolvedBy: bySuccess,
  },
  recover_failed: {
    severity: 'warning',
    meaning: 'Twilio could not be asked for recordings that closed calls lack until all tries were used up.',
    next: 'The detail names the cause: `flex-custody doctor --only account,workspace`. It runs again by itself.',
    raisedBy: failed('recover'),
    resolvedBy: bySuccess,
  },
  reconcile_failed: {
    severity: 'warning',
    meaning:
      "The comparison with Twilio's list failed. Recordings without a callback are not found meanwhile.",
    next: 'The detail names the cause: `flex-custody doctor --only reconcile,account`. It runs again by itself.',
    raisedBy: failed('reconcile'),
    resolvedBy: bySuccess,
  },
  compare_failed: {
    severity: 'warning',
    meaning:
      'The comparison of the bucket with the catalog failed. Lost and unknown objects are not found meanwhile.',
    next: 'The detail names the cause: `flex-custody doctor --only reconcile,bucket`. It continues within the hour by itself.',
    raisedBy: failed('compare'),
    resolvedBy: bySuccess,
  },
  trim_failed: {
    severity: 'warning',
    meaning:
      'The job that removes old alarms, runs and reports failed. Nothing is lost; those tables grow meanwhile.',
    next: 'Check the database (`flex-custody doctor --only database,jobs`). The job runs again each hour.',
    raisedBy: failed('trim'),
    resolvedBy: bySuccess,
  },
  events_refused: {
    severity: 'critical',
    meaning:
      "The host answered 503 to a request of Event Streams' webhook. Twilio sends the events again for four hours; then they are lost, except for those that gap repair finds.",
    next: 'The detail names the reason and the address: docs/recorder.md, "Events".',
    raisedBy: 'a request to `/events` that was refused, at most once a minute',
    resolvedBy: 'the next batch that is accepted',
  },
  event_lag: {
    severity: 'warning',
    meaning:
      "Even the newest of agents' events arrive more than five minutes late: calls end in the database later than they do at Twilio.",
    next: "Read `flex-custody recorder events`, and Twilio's status page. Start more processes with the role recorder if a stream has many shards.",
    raisedBy: 'the job `events`, each minute',
    resolvedBy: 'the next run of the job `events` that sees newer events',
  },
  events_failed: {
    severity: 'warning',
    meaning:
      "The job that watches agents' events failed: their delay is not watched meanwhile, and events of types that this release handles newly stay set aside.",
    next: 'Check the database (`flex-custody doctor --only database,jobs`). The job runs again each minute.',
    raisedBy: failed('events'),
    resolvedBy: bySuccess,
  },
  inventory_unusable: {
    severity: 'warning',
    meaning:
      'The inventory that CUSTODY_INVENTORY names cannot be used. The bucket was listed instead, which takes long where it is very large.',
    next: 'The detail names the fault: `flex-custody doctor --only inventory`, docs/reconcile.md.',
    raisedBy: 'the comparison of the bucket with the catalog',
    resolvedBy: 'the next comparison of the bucket that finds a usable inventory, or needs none',
  },
  webhook_refused: {
    severity: 'warning',
    meaning:
      'The receiver of alarms refused a webhook, or its address may not be used. That webhook is not sent again.',
    next: 'The detail says why. Check CUSTODY_ALARM_WEBHOOK and its secret: `flex-custody doctor --only alarm-webhook --test-webhook`.',
    raisedBy: 'the job `webhook`',
    resolvedBy: byDelivery,
  },
  webhook_failed: {
    severity: 'warning',
    meaning: 'A webhook could not be delivered until all tries were used up. It is not sent again.',
    next: 'Check the receiver and the way to it: `flex-custody doctor --only alarm-webhook --test-webhook`.',
    raisedBy: failed('webhook'),
    resolvedBy: byDelivery,
  },
  webhooks_failed: {
    severity: 'warning',
    meaning:
      'The job that finds alarms to send failed: the receiver of webhooks does not learn of new alarms meanwhile.',
    next: 'Check the database (`flex-custody doctor --only database,jobs`). The job runs again by itself.',
    raisedBy: failed('webhooks'),
    resolvedBy: bySuccess,
  },
  janitor_failed: {
    severity: 'critical',
    meaning: 'The job that restarts interrupted work failed: interrupted copies stay where they are.',
    next: 'Check the database (`flex-custody doctor --only database,jobs`). The job runs again each minute.',
    raisedBy: failed('janitor'),
    resolvedBy: bySuccess,
  },

  // What is sent to Brevo.
  brevo_paused: {
    severity: 'warning',
    meaning:
      'Brevo refuses every request of the account: its key, its credits, its list of authorised IPs or its state. Nothing is sent meanwhile, and nothing is lost.',
    next: 'The detail names the reason and what to do. `flex-custody connector test brevo` asks Brevo at once; the host asks by itself, at most 15 minutes apart.',
    raisedBy: 'a request to Brevo that is answered 401, 402 or 403',
    resolvedBy: 'Brevo takes requests of the account again',
  },
  brevo_failed: {
    severity: 'warning',
    meaning:
      'Brevo refused events or contacts for good. They are dead letters: the host does not send them again by itself.',
    next: "`flex-custody connector failed` lists them with Brevo's code and message. Remove the cause, then `flex-custody connector retry --all`.",
    raisedBy: 'the job `outbox`',
    resolvedBy: 'no dead letter is left',
  },
  brevo_uncertain: {
    severity: 'warning',
    meaning:
      'Whether Brevo has taken an event is unknown for more than a day. The host looks for it in Brevo, and does not send it twice.',
    next: 'Check that Brevo answers: `flex-custody connector test brevo`, `flex-custody connector status brevo`.',
    raisedBy: 'the job `outbox`',
    resolvedBy: 'a look finds the event, or it was sent again after enough looks',
  },
  brevo_behind: {
    severity: 'warning',
    meaning: 'The oldest event that is due to Brevo has waited for more than an hour.',
    next: "`flex-custody connector status brevo` shows how many wait, and the rate. Check that a process of the role recorder runs, and the plan's limits in the connector's file.",
    raisedBy: 'the job `outbox`',
    resolvedBy: 'the oldest event that is due has waited for less than an hour',
  },
  brevo_attribute_missing: {
    severity: 'warning',
    meaning:
      'Brevo lacks attributes that the mapping writes. They are left out; the rest of the contact is sent.',
    next: 'Create the attributes that the detail names: `flex-custody connector test brevo --create-attributes`, or in Brevo. Contacts that change from then on have them.',
    raisedBy: 'sending a contact',
    resolvedBy: 'Brevo has them all, at the next look at its attributes',
  },
  brevo_collision: {
    severity: 'warning',
    meaning:
      'Two contacts of Brevo would share an identifier, and the policy `report` sends neither the contact nor its events.',
    next: "Merge the contacts in Brevo, or choose another policy (`collisions` in the connector's file), then `flex-custody connector retry --all`.",
    raisedBy: 'sending a contact, with the policy `report`',
    resolvedBy: onlyByHand,
  },
  outbox_failed: {
    severity: 'warning',
    meaning:
      'The job that watches what waits for Brevo failed: dead letters and delays are not reported meanwhile.',
    next: 'Check the database (`flex-custody doctor --only database,jobs`). The job runs again each minute.',
    raisedBy: failed('outbox'),
    resolvedBy: bySuccess,
  },
  brevo_not_forgotten: {
    severity: 'warning',
    meaning: 'Brevo refuses to remove what was written of a customer who was erased here.',
    next: "The detail has the number of the customer and Brevo's code. The host tries again by itself; remove the contact in Brevo where that does not help.",
    raisedBy: 'the job `forget`',
    resolvedBy: 'the next run of the job that Brevo refuses nothing of',
  },
  forget_failed: {
    severity: 'warning',
    meaning:
      'The job that removes erased customers at Brevo failed: what was written of them stays there meanwhile.',
    next: 'Check the database (`flex-custody doctor --only database,jobs`). The job runs again each minute.',
    raisedBy: failed('forget'),
    resolvedBy: bySuccess,
  },
} as const satisfies Readonly<Record<string, AlarmMeaning>>;

export type AlarmCode = keyof typeof alarmTable;

export function isAlarmCode(code: string): code is AlarmCode {
  return Object.hasOwn(alarmTable, code);
}

/** Alarms about webhooks are not sent by webhook: each could cause the next. */
export const webhookAlarms: readonly AlarmCode[] = ['webhook_refused', 'webhook_failed', 'webhooks_failed'];

/** Undefined for what a host of another release has raised. */
export function meaningOf(code: string): AlarmMeaning | undefined {
  return isAlarmCode(code) ? alarmTable[code] : undefined;
}
