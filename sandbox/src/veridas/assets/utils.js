/** Veridas's utils.js: what an integrator writes. Voice prints live as long as the page. */
const voicePrints = new Map();

export default {
  storeCredential: async (id, credential) => void voicePrints.set(id, credential),
  deleteCredential: async (id) => void voicePrints.delete(id),
  getCredential: async (id) => voicePrints.get(id),
  onResponse: () => {},
};
