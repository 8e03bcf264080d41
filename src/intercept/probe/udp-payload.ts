/** A datagram that a server at this port answers: a DNS query for the root's name servers, or an NTP client's request. */
export function udpPayload(port: number): Buffer {
  if (port !== 53) {
    // RFC 5905 section 7.3: version 4, mode 3 (client), all else zero.
    const request = Buffer.alloc(48)
    request[0] = 0x23
    return request
  }
  // RFC 1035 section 4: an ID, recursion desired, one question: the root, type NS, class IN.
  return Buffer.from('6d6401000001000000000000' + '00' + '0002' + '0001', 'hex')
}
