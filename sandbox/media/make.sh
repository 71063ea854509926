#!/bin/sh
# Makes dialogue.wav: 30.0 s, 8 kHz, 16 bit, customer on the left and agent on the right. Needs espeak-ng and sox.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rate=8000
left=''
right=''

# say CHANNEL VOICE SECONDS-FROM-START TEXT: one sentence, placed on its speaker's channel.
say() {
  name="$work/$1-$3"
  espeak-ng -v "$2" -s 165 -w "$name.raw.wav" "$4"
  sox "$name.raw.wav" -r "$rate" -c 1 -b 16 "$name.wav" gain -n -6 pad "$3" 0
  case $1 in
    left) left="$left $name.wav" ;;
    right) right="$right $name.wav" ;;
  esac
}

say right en-us+f3 0.4 'Good morning, Northwind Energy, this is Alice. How can I help you?'
say left en-gb+m3 4.6 'Hello Alice. My last invoice looks too high, and I would like to understand why.'
say right en-us+f3 9.4 'I am sorry to hear that. May I have your customer number, please?'
say left en-gb+m3 13.4 'Yes, it is four, seven, one, one, zero, nine.'
say right en-us+f3 17.2 'Thank you. I see an estimated reading. I will correct it right now.'
say left en-gb+m3 21.6 'That is very kind. When will I get the new invoice?'
say right en-us+f3 25.0 'By Friday, with an email. Have a good day!'
say left en-gb+m3 28.1 'Thanks, good bye.'

# Line noise far below speech, so that a silent channel is not digital silence; fixed by its own seed (-R).
for side in left right; do
  eval "parts=\$$side"
  # shellcheck disable=SC2086 # the list is meant to be split
  sox -R -n -r "$rate" -c 1 -b 16 "$work/noise-$side.wav" synth 30 pinknoise gain -58
  sox -R -D -m -v 1 "$work/noise-$side.wav" $parts -r "$rate" -c 1 -b 16 "$work/$side.wav" trim 0 30
done
sox -R -D -M "$work/left.wav" "$work/right.wav" -r "$rate" -b 16 "$work/dialogue.wav"

# Plain 44-byte header and nothing else behind it, as Twilio's media has.
sox "$work/dialogue.wav" -t raw "$work/dialogue.pcm"
sox -t raw -r "$rate" -e signed -b 16 -c 2 "$work/dialogue.pcm" "$here/dialogue.wav"
soxi "$here/dialogue.wav"
ls -l "$here/dialogue.wav"
