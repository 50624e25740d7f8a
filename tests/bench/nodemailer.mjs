// Sends so many mails through nodemailer's pool: node nodemailer.mjs PORT MAILS CONNECTIONS
import nodemailer from 'nodemailer'

const [port, mails, connections] = process.argv.slice(2).map(Number)
const transport = nodemailer.createTransport({
  host: '127.0.0.1', port, secure: false, ignoreTLS: true, pool: true, maxConnections: connections, maxMessages: Infinity,
})

// As long as what the system writes: about 2,000 letters of text, and twice as many of HTML.
const paragraph = 'The autumn careers fair is on 12 November in the Great Hall, and your stand is free. '
const text = name => `Dear ${name},\n\n${paragraph.repeat(12)}\n`
const html = name => `<p>Dear ${name},</p>${`<p style="margin: 0 0 16px">${paragraph}</p>`.repeat(30)}`

let next = 0
async function some () {
  while (next < mails) {
    const nth = next++
    const link = `<http://127.0.0.1:8000/unsubscribe/${nth}>`
    await transport.sendMail({
      from: 'Careers Centre <careers@mycareer.test>', to: `contact${nth}@domain${nth % 997}.example`,
      subject: `The autumn fair and organisation ${nth}`, text: text(`contact ${nth}`), html: html(`contact ${nth}`),
      headers: { 'List-Unsubscribe': link, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
    })
  }
}
// Twice as many in hand as there are connections, so that none waits for its next mail.
await Promise.all(Array.from({ length: connections * 2 }, some))
transport.close()
