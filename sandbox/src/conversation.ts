/** A conversation of Twilio's Conversations API. */
export interface Conversation {
  /** CH… */
  sid: string;
  state: 'active' | 'inactive' | 'closed';
  attributes: string;
  participants: ConversationParticipant[];
  messages: ConversationMessage[];
  createdAt: Date;
  updatedAt: Date;
}

export interface ConversationParticipant {
  /** MB… */
  sid: string;
  /** Of an agent, or of a visitor of a web chat. */
  identity: string | null;
  /** Of a customer who writes by SMS or WhatsApp; an address has the channel's prefix. */
  binding: { type: 'sms' | 'whatsapp'; address: string; proxy_address: string } | null;
  createdAt: Date;
}

export interface ConversationMessage {
  /** IM… */
  sid: string;
  author: string;
  participantSid: string;
  body: string;
  createdAt: Date;
}
