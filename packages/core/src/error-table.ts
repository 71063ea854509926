/** HTTP status, whether the same call may succeed later, meaning, and the next step where there is one. */
export type ErrorRow = readonly [status: number, isRetryable: boolean, meaning: string, next?: string];

/**
 * Each code that a {@link CustodyError} may have. docs/errors.md shows the same rows (a test compares them). A retryable
 * error is temporary, or ends once an operator has corrected a setting.
 */
// biome-ignore format: one row a line reads as a table
export const errorTable = {
  // Requests.
  request_invalid: [400, false, 'A field of the request, or an option, is missing or malformed.', 'Correct it.'],
  url_invalid: [400, false, 'The URL cannot be decoded.'],
  conference_invalid: [400, false, 'The path names no SID of a conference.'],
  recording_sid_invalid: [400, false, 'The path names no SID of a recording.'],
  signature_invalid: [401, false, 'The signature of a Function or a command is wrong, or too old.', 'Compare CUSTODY_MEDIA_SECRET and the clocks of both sides.'],
  functions_only: [403, false, 'Only the Functions may use this route.'],
  not_found: [404, false, 'The host has no such route.'],
  method_not_allowed: [405, false, 'The route has other methods.'],
  body_too_large: [413, false, 'The body is longer than the route accepts.'],
  media_type_unsupported: [415, false, 'The route does not read bodies of this type.'],
  host_unknown: [421, false, 'The request names the host by a name that the host does not know.', 'Add the name to CUSTODY_OPS_NAMES if it is yours.'],
  too_many_requests: [429, true, 'A limit of requests is used up.', 'Wait as long as Retry-After says.'],
  events_refused: [503, true, "A batch of Event Streams' webhook was not taken: Twilio sends it again.", 'docs/recorder.md, "Events".'],
  webhook_unverified: [503, true, 'The signature of a webhook for completed tasks was not made by an auth token of the host.', 'Check TWILIO_AUTH_TOKEN, and that Twilio calls the URL under CUSTODY_PUBLIC_URL.'],
  internal: [500, false, 'The host failed; its log has the code of the cause.', "Read the host's log."],
  unexpected: [500, true, 'Something failed that has no code of its own.', 'Read the log.'],
  timeout: [500, false, 'A health check gave no answer in time.'],

  // Flex tokens.
  token_missing: [401, false, 'The request has no Flex token.'],
  token_malformed: [401, false, 'The Flex token does not have the shape of one, or the request has more than one.'],
  token_refused: [403, false, 'Twilio IAM does not accept the Flex token.', 'Log in to Flex again.'],
  iam_unavailable: [503, true, 'Twilio IAM does not say whether a Flex token is valid.', 'Run `flex-custody doctor --only iam`.'],

  // Playback.
  recording_invalid: [400, false, 'The query names no well-formed recording or reservation.'],
  link_missing: [401, false, 'The URL of a media link has no token.'],
  play_forbidden: [403, false, 'The viewer may not play this recording, or the recording does not exist.'],
  link_expired: [403, false, 'The media link has expired.', 'Open the recording in Flex Insights again.'],
  link_invalid: [403, false, 'The media link was not made by this host, or it is for another recording.'],
  link_revoked: [403, false, 'An operator revoked the link, or links of its kind are turned off.'],
  recording_absent: [404, false, 'Nothing was recorded.'],
  recording_awaited: [404, true, 'An agent accepted the reservation, and its recording does not exist yet.', 'Wait as long as Retry-After says.'],
  recording_erased: [410, false, 'The recording is erased, or is about to be.'],
  link_outdated: [410, false, 'The link is for a copy that is no longer played.', 'Open the recording in Flex Insights again.'],
  object_unplayable: [500, false, 'The object that should be played is not what the catalog says.', 'Restore its version in the bucket, then run `flex-custody reconcile`.'],
  media_refused: [502, false, "Twilio refuses the recording's media to the host.", "Check the host's credentials for Twilio."],
  audit_unavailable: [503, true, 'The audit entry could not be written, so nothing is done.', 'Run `flex-custody doctor --only database`.'],

  // Reports of live calls.
  report_invalid: [400, false, 'The report of a plugin or a Flow has a missing or malformed field.'],
  not_your_call: [403, false, 'The holder of the token has no part in this call.'],
  task_unknown: [403, false, 'The holder of the token has no reservation of such a task.'],
  report_unreadable: [500, false, 'A report that waits for IAM cannot be decrypted.', 'Check that CUSTODY_MEDIA_SECRET was not changed.'],
  reports_full: [503, true, 'Too many reports wait for IAM.', 'Run `flex-custody doctor --only iam`.'],

  // Settings of the data source.
  settings_forbidden: [403, false, 'The viewer may not read or change the settings.', 'Use a Flex user with the role admin.'],
  data_source_read_only: [409, false, 'CUSTODY_DATA_SOURCE_FILE is set: the settings can be changed only in that file.', 'Change the file on the host.'],
  data_source_changed: [412, false, 'The data source has another version than the one that the change was made on.', 'Read it again, and repeat the change.'],
  data_source_invalid: [422, false, 'Settings of the data source are malformed, contradict each other or are filled in half.', 'The message names each setting, its bound and the next step.'],
  version_missing: [428, false, 'A change must name the version that it was made on.', 'Send the ETag of the settings as If-Match.'],

  // Functions.
  callback_invalid: [400, false, "The body is not the form of a recording callback, or Twilio's signature does not fit.", 'The message names what to correct.'],
  consent_missing: [403, false, 'The caller has not agreed to the use of their voice.'],
  origin_refused: [403, false, 'Pages of this origin may not call the Functions.', 'Add it to CUSTODY_FLEX_ORIGINS of the Functions if it is yours.'],
  pause_disabled: [403, false, 'Pausing is switched off.'],
  stream_url_refused: [403, false, 'Streams may not be sent to this address.'],
  call_not_live: [404, false, 'There is no such call in progress.'],
  call_paused: [409, false, 'The recording of this call is paused.', 'Resume it first.'],
  nothing_recorded: [409, false, 'Nothing of this call is being recorded.'],
  too_many_streams: [409, false, 'The call has as many streams as Twilio allows.'],
  forward_refused: [502, false, "Flex's own recording webhook refuses the callback for good."],
  forward_unavailable: [503, true, "Flex's own recording webhook does not accept the callback now."],
  vendor_refused: [502, false, 'The vendor does not accept the credentials of the Functions.', "Correct the vendor's credentials."],
  vendor_unreachable: [502, true, 'The vendor gives no usable answer.'],
  host_refused: [502, false, 'The host refused the request; a Function passes on the status of the host.', "Read the host's log."],
  host_answer_malformed: [503, true, 'The host answered something that a Function cannot read.', 'Run the same release on both sides.'],
  host_unreachable: [503, true, 'The host does not answer, or fails.', 'Check that it runs, and its address.'],

  // Twilio.
  recording_missing: [404, false, 'Twilio knows no such recording.'],
  foreign_account: [403, false, 'The recording is of another Twilio account.', 'Use one host for each account.'],
  twilio_unauthorized: [500, false, "Twilio does not accept the host's credentials.", 'Check TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN or TWILIO_API_KEY.'],
  twilio_refused: [500, false, 'Twilio understood the request and refused it.'],
  twilio_answer: [500, false, "Twilio's answer does not have the expected shape."],
  twilio_etag_missing: [503, true, 'Twilio answered with a task without its ETag, so the task cannot be changed safely.'],
  twilio_unavailable: [503, true, 'Twilio cannot be asked now: no answer, a failure of its own, or its limit.', 'Run `flex-custody doctor --only account`.'],
  task_contended: [503, true, "Others keep writing the task's attributes at the same time."],
  twilio_encryption_unreadable: [500, false, "Twilio's encryption details of a recording cannot be read."],
  twilio_form_refused: [500, false, 'Twilio gives recordings that it has encrypted as .wav alone.'],
  twilio_key_unknown: [500, false, 'Twilio encrypted the recording for a public key whose private half is missing here.', 'Add it to CUSTODY_TWILIO_KEY_FILE.'],
  twilio_key_wrong: [500, false, 'A private key does not belong to the public key that Twilio has under its name.', 'Correct CUSTODY_TWILIO_KEY_FILE.'],

  // Media at Twilio, and the copy.
  media_missing: [404, false, 'Twilio has no media of the recording.', 'The host retries a completed recording without you.'],
  media_range: [416, false, 'The media has no such range.'],
  media_unauthorized: [502, false, "Twilio does not accept the host's credentials for media.", "Check the host's credentials for Twilio."],
  media_changed: [502, true, 'The media changed while it was read.'],
  media_cut: [503, true, 'The media ended before its end.'],
  media_empty: [502, true, 'The media has no audio.'],
  media_long: [502, true, 'The media is longer than Twilio says.'],
  media_not_audio: [502, true, 'The media is no WAV audio that the host can read.'],
  media_short: [502, true, 'The media is shorter than Twilio says.'],
  media_stalled: [502, true, 'Twilio stopped sending the media.'],
  media_tampered: [502, true, 'The encrypted media fails its authentication.'],
  media_unavailable: [503, true, "Twilio's media cannot be read now."],
  lease_lost: [409, false, 'Another process copies the recording, or the lease has lapsed.'],
  upload_gone: [409, true, 'The multipart upload no longer exists in the bucket.'],
  copy_report_invalid: [400, false, "A Function's report of a copy has a missing or malformed field.", 'Run the same release on both sides.'],
  object_unproven: [422, false, "The bucket contradicts a Function's report of a copy."],
  stalled: [503, true, 'The work moved nothing for too long.'],

  // Webhooks of alarms.
  webhook_refused: [502, false, 'The receiver of alarms refuses a webhook, or its address may not be used.', 'Run `flex-custody doctor --only alarm-webhook --test-webhook`.'],
  webhook_unavailable: [503, true, 'The receiver of alarms gives no answer, or asks for a later try.'],

  // Envelopes.
  envelope_frame_order: [500, false, 'The frames of an envelope are out of order.'],
  envelope_malformed: [500, false, 'The object is no well-formed envelope.'],
  envelope_tampered: [500, false, 'A part of an envelope fails its authentication.'],
  envelope_trailing_bytes: [500, false, 'An envelope has bytes after its end.'],
  envelope_truncated: [500, false, 'An envelope ends before its end.'],
  envelope_unsupported: [500, false, 'An envelope has a version or an algorithm that the host does not read.'],
  envelope_wrong_key: [500, false, 'None of the available keys opens the envelope.', 'Add the key that sealed it.'],
  envelope_wrong_recording: [500, false, 'The envelope was sealed for another recording.', 'Name the recording and the account that it was sealed for.'],

  // Stored objects.
  object_missing: [404, false, 'The object is not in the bucket.'],
  object_changed: [412, false, 'The object is not the version that was asked for.'],
  object_range: [416, false, 'The object has no such range.'],
  object_channels: [500, false, 'The object has more channels than the recording.'],
  object_length: [500, false, 'The audio of the object has another length than the recording.'],
  object_lost: [500, false, 'The object that the catalog names is not in the bucket.', 'Restore it, or erase what is left of the recording.'],
  object_mismatch: [500, false, 'The object does not hold what the catalog says.'],
  object_not_audio: [500, false, 'The object holds no WAV audio that the host can read.'],
  object_unencrypted: [500, false, 'The bucket does not say that the object is encrypted by the KMS key.'],
  not_audio: [500, false, 'What is to be imported or adopted is no recording.'],
  sidecar_invalid: [500, false, 'A sidecar cannot be read, or it is not the one that the host wrote.'],

  // The bucket. The message names the setting.
  store_archived: [500, false, 'A lifecycle rule moved the object to an archive.', 'Restore it; take recordings/ out of the rule.'],
  store_ranges: [500, false, 'The store does not read ranges.', 'Use an S3 that honours Range.'],
  store_unencrypted: [500, false, 'The store does not say that it encrypts by the KMS key.', 'Correct CUSTODY_SSE_KMS_KEY_ID, or use an S3 with KMS.'],
  store_unsupported: [501, false, 'The store does not do what was asked.', 'Use an S3 that does (docs/deploy.md).'],
  store_busy: [503, true, 'Other readers use all connections to the bucket.'],
  store_clock: [503, true, 'The clock of this machine differs from that of S3.', 'Set it by NTP.'],
  store_credentials: [503, true, 'The access key for the bucket is missing, unknown or expired.', 'Correct AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.'],
  store_denied: [503, true, 'A right is missing, the bucket does not exist, or Object Lock keeps an object.', 'Use the policies of docs/deploy.md; check CUSTODY_BUCKET.'],
  store_full: [503, true, 'The store has no room left.', 'Free space, or raise its quota.'],
  store_key: [503, true, "The KMS key of the bucket's encryption cannot be used.", 'Correct CUSTODY_SSE_KMS_KEY_ID, or the policy of the key.'],
  store_region: [503, true, 'The bucket is in another region, or at another endpoint.', 'Set AWS_REGION, or AWS_ENDPOINT_URL_S3.'],
  store_settings: [503, true, 'A name, the storage class, a certificate, a proxy or the account of the bucket is wrong.', 'The message names it.'],
  store_unavailable: [503, true, 'The bucket gives no answer, or it fails.', 'Check that it runs, and the network and proxy on the way.'],

  // Keys.
  key_credentials: [500, false, 'KMS does not accept the credentials.', 'Renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN together.'],
  key_denied: [500, false, 'KMS refuses the key, or the key is disabled.', 'Enable the key, or correct its policy.'],
  key_file: [500, false, 'A key file cannot be read or written.', 'Choose another path, or correct its rights.'],
  key_invalid: [500, false, 'A key is malformed or of the wrong kind.', 'The message names the key and its line.'],
  key_missing: [500, false, 'The key does not exist at KMS, or none is configured.', 'Correct the settings of the keys.'],
  key_unavailable: [503, true, 'KMS cannot be used now.', 'Check that it runs, and the network and proxy on the way.'],
  key_unknown: [500, false, 'The rotation names a key that sealed nothing, or the newest key.', 'Run `flex-custody keys status`.'],
  key_unsupported: [500, false, 'The KMS does not do what was asked.', 'Use a KMS that has GenerateDataKey, Encrypt and Decrypt.'],
  rotation_by_s3: [500, false, 'S3 encrypts here and rotates its own keys, so there is nothing to rotate.'],
  rotation_unversioned: [500, false, 'The bucket keeps no versions, or the host may not ask whether it does; keys are not rotated.', 'Enable versioning.'],

  // Secrets.
  secret_invalid: [400, false, 'The name or the value of a secret cannot be stored.', 'The message says why.'],
  secret_unknown: [404, false, 'The store has no such secret.', '`flex-custody secrets list` shows those that it has.'],
  secrets_key_missing: [500, false, 'S3 encrypts the recordings, so the host has no key for secrets.', '`openssl rand -base64 32` makes one: set it as CUSTODY_SECRETS_KEY on every host, and back it up.'],
  secret_unreadable: [500, false, 'A stored secret cannot be opened.', 'Give the host the key that sealed it, or store the secret again: `flex-custody secrets set NAME`.'],

  // Database and catalog.
  alarm_unknown: [404, false, 'There is no such open alarm.', '`flex-custody alarms` lists those that are open.'],
  page_unknown: [404, false, 'What --after names was removed meanwhile.', 'List from the beginning.'],
  recording_unknown: [404, false, 'The catalog does not know the recording.', '`flex-custody recordings list` shows those that it knows; `flex-custody reconcile` copies those that are missing.'],
  task_unrecorded: [404, false, 'The catalog knows no recording and no session of the task.', 'Check the SID, or name the recordings by --recording.'],
  catalog_damaged: [500, false, 'A row of the catalog cannot be read.', 'Restore the database from a backup.'],
  custody_changed: [500, false, 'Another process bound the database meanwhile.', 'Run the command again.'],
  custody_differs: [500, false, 'The settings are not those that the database is bound to.', 'Correct the settings, or run `flex-custody adopt-database` where the move is meant.'],
  data_dir_locked: [500, false, 'Another process uses the data folder.', 'The message names that process.'],
  data_dir_open: [500, false, 'Other users may read the data folder.', 'The message has the command that closes it.'],
  database_newer: [500, false, 'The database was made by a newer release.', 'Run that release, or restore a backup.'],
  database_unopened: [500, false, 'The embedded database does not open.', 'Restore the folder from a backup, or move it away and run `flex-custody catalog rebuild`.'],
  database_unavailable: [503, true, 'The database does not answer, or not in time.', 'Run `flex-custody doctor --only database`.'],

  // Completeness.
  segment_unknown: [404, false, 'No contact that has closed has a segment of this reservation.', '`flex-custody completeness --day` lists the segments that need a reason.'],
  reason_unknown: [404, false, 'No reason was given for this segment.', '`flex-custody completeness --day` lists the reasons that were given.'],
  segment_settled: [409, false, 'The segment is recorded or paused, or no recording of it is expected, so it needs no reason.'],

  // Retention and erasure.
  policy_invalid: [400, false, 'The policy file has faults.', 'Correct the file, and run `flex-custody policy check FILE`.'],
  certificate_unknown: [404, false, 'There is no such certificate.', '`flex-custody certificates list` shows those that there are.'],
  policy_changed: [409, false, 'Another policy was applied meanwhile.', 'Run the command again.'],
  policy_not_applied: [409, false, 'CUSTODY_POLICY_FILE names a policy, and none is in force.', 'Start the host once, or run `flex-custody policy apply`.'],
  policy_weaker: [409, false, 'The policy holds or keeps less than the policy in force.', 'Add --yes where that is meant.'],
  policy_missing: [500, false, 'No policy is in force, so all recordings are kept.', '`flex-custody policy apply` puts one in force.'],
  caller_invalid: [500, false, 'Standard input names no caller, or a line of it is no telephone number.', 'Write numbers in international form (+4930123456), one a line.'],
  caller_secret_missing: [500, false, 'Callers cannot be found without CUSTODY_CALLER_SECRET.', 'Set it to the one that the host has.'],
  certificate_invalid: [500, false, 'A certificate was altered, or is none.', 'Get the original from the bucket, under certificates/.'],
  certificate_key: [500, false, 'A certificate was signed by another key.', 'Name the public key by --key.'],
  retention_braked: [500, false, 'Far more recordings are due than usual, so nothing is erased.', 'Run `flex-custody retention --dry-run`, or for short calls `flex-custody recorder short`; where that is meant, the same command with `--yes`.'],
  erasure_busy: [500, true, 'Another run erases this recording.', 'Wait until that run ends.'],
  clock_differs: [503, false, 'The clocks of the database, the host and Twilio differ by more than five minutes, so nothing is erased or deleted.', 'Set the clocks by NTP (`flex-custody doctor --only clock`).'],
  erasure_incomplete: [503, true, 'The bucket still has something that was removed.'],

  // Signatures.
  signature_untrusted: [500, false, 'A sidecar is signed by nothing that the host trusts.'],
  signing_key: [500, false, 'The signing key is malformed, or of the wrong kind.'],
  signing_key_missing: [500, false, 'The signing key is missing.', 'Restore it from the backup of the keys; on a new host, `flex-custody serve` makes it.'],

  // Long work and its end.
  run_unknown: [404, false, 'This work was never begun here.'],
  connector_off: [409, false, 'The connector is switched off.', 'Set CUSTODY_BREVO_FILE, and `enabled: true` in its file; `flex-custody connector install brevo` writes one.'],
  run_busy: [409, false, 'The same work runs already, in another process.', 'Wait until it ends.'],
  run_taken: [409, false, 'Another process took over the work.', 'Follow it there, or run the command again later.'],
  closing_late: [500, false, 'Something did not end in time when the host closed.'],
  watch_ended: [500, false, 'The command no longer follows the work; the host continues it.', 'Run the command again to see how it ended.'],
  consumer_ended: [500, true, 'A part that follows a stream ended while the host runs; the host starts it again.'],
  stream_invalid: [500, false, "The setting of the events' stream is neither a name nor an ARN, or its ARN is of another region.", 'Correct the setting.'],
  stream_unavailable: [503, true, 'Kinesis, or the credentials for it, gave no answer that can be used.', 'Run `flex-custody recorder status`.'],
  closing: [503, false, 'The process is about to end.'],
  expired: [503, true, 'A try of a job took too long.'],
  inventory_gone: [503, true, "The keys of the bucket's inventory were replaced by those of a newer one."],
  inventory_unusable: [500, false, "The bucket's inventory cannot be used.", 'Run `flex-custody doctor --only inventory`.'],
  queue_stopped: [503, true, 'The job queue is stopped.'],
  stopping: [503, true, 'The process ends; the work continues at its next start.', 'Run the command again.'],

  // Command line and settings.
  brevo_invalid: [500, false, 'The file of CUSTODY_BREVO_FILE has faults.', 'The message names each place with its line, what it must be and the next step.'],
  config_invalid: [500, false, 'A setting is missing or malformed.', 'Correct it: docs/configuration.md describes every variable.'],
  configuration_changed: [500, false, 'The Flex configuration was changed meanwhile, and nothing was written.', 'Run setup again.'],
  doctor: [500, false, 'A check of the doctor found a fault.', 'The check names it.'],
  env_file_open: [500, false, 'Other users may write the .env file.', 'The message has the command that closes it.'],
  event_sink_invalid: [500, false, 'The stream, the role or the external id for Event Streams is malformed.', 'Run `flex-custody recorder setup --help`.'],
  file_error: [500, false, 'A file could not be read or written.', 'Choose another path, or correct its rights.'],
  file_open_to_others: [500, false, 'Other users may read or write a file with secrets or policy.', 'The message has the command that closes it.'],
  file_unreadable: [500, false, 'A file cannot be read, or is too long.', 'Choose another path, or correct its rights.'],
  flex_missing: [500, false, 'The Twilio account has no Flex.', 'Check TWILIO_ACCOUNT_SID.'],
  from_invalid: [500, false, 'The option --from names no bucket.', 'Name it as s3://bucket or s3://bucket/prefix.'],
  interrupted: [500, false, 'The command was interrupted, and no output is left.', 'Run the command again.'],
  output_exists: [500, false, 'The output file exists.', 'Choose another name, or add --force.'],
  settings_unreadable: [500, false, 'A setting in the Flex configuration is no object.', 'Correct it first.'],
  setup_unverified: [500, false, 'The Flex configuration is not as setup wrote it.', 'Run setup again.'],
} as const satisfies Readonly<Record<string, ErrorRow>>;

export type ErrorCode = keyof typeof errorTable;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorTable, code);
}
