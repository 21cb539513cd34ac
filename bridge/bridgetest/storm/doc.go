// Package storm plays many phones and a desktop against a bridge and checks that nothing is lost, doubled or invented.
//
// # What is played
//
// A storm is a script of one seed. Eight phones of the versions 2.5 to 16.1, with
// windows from 1 to 100 items, with and without filters, one that asks for all
// folders at once, one whose edits shall win, one that rebuilds its requests
// after a lost answer and one that has a single folder of each kind, add, edit and delete contacts, events, tasks and notes, edit
// single occurrences of series, move things to other folders, make, rename and
// delete folders, wait in Pings, forget everything and begin anew. A
// desktop does the same directly on the server, also in the middle of a phone's
// request; in every third storm the store cannot move, and the bridge copies and
// removes. The desktop brings a lot of contacts at once and cleans them out again, takes
// occurrences out of series, writes lines that no phone sees, and makes, renames
// and removes collections. One collection is read-only, and phones try all the
// same.
//
// In a storm with mail, which is one seed of four, each second step is with mail.
// Messages are delivered to the inbox and beside it; the desktop and the phones,
// which see all mail, that of a month, a week or a day, some of them as MIME, read
// it, flag it and give it categories, move it, delete it, to the trash or for good,
// and wait for it. Phones send, answer and pass on, with or without a copy, and
// those from 16.0 on write drafts, go on writing them and have them sent.
//
// # What goes wrong
//
// Between phones and bridge requests and answers get lost, requests come several
// times, late, or twice at once, and phones hang up. The worker is killed at a
// call of the backend, before or after it was carried out, and goes on upon the
// state as it was at that moment; now and then it is restarted in order. The
// backend fails before or after it did what it was asked to, is slow, breaks off
// in the middle of a listing or of an answer with items, cannot read one item,
// finds an item too large, forgets its history, and shows a collection empty that
// is not. For some steps in a row it is down, refuses the password or has no room,
// or the database of the bridge has no room. The clock jumps by up to five days.
//
// The mail system refuses a mail; it takes one, or does not, and nobody hears
// which; and the worker is killed when a mail was just taken.
//
// With a [Worker] the bridge is a process of its own with plugin processes: then
// the worker is killed by SIGKILL at any moment of a request, and so are plugins and
// the server behind them; what else the server does wrong is the business of the
// [Shelf]. Before Radicale stands a proxy that breaks connections, answers 500 and
// 507 or that a sync-token is not known, is down or refuses every password for some
// steps, and shows a collection empty that is not. As nobody waits there until a
// refusal is forgotten, or until a deletion that is held is believed, the worker is
// restarted after the one, and an administrator releases the other. Before localdir
// stands nothing, but collections come and go there, and things move between them.
//
// With a [Mailhouse] the mail of such a worker is in Dovecot, to which connections
// break and which is ended and started again, and goes out by an SMTP server, which
// refuses a mail for good or for now, breaks off before it says whether it took one,
// and has the worker killed before it took it, before it said so, or while a copy is kept.
// The desktop has a way of its own to Dovecot. As nobody waits until a worker that was
// killed cannot be at a mail any more, what is noted of mails is made older, while no
// worker is there, before a phone tries for the last times and before every rest.
//
// # What is checked
//
// Always: no phone is told that something is gone which nobody deleted or removed,
// none has to begin anew, none is refused an edit without reason, a request that
// comes again gets the same answer, and the phone itself finds nothing that no
// phone would forgive (see [phone.Phone.Violations]: twice the same item, a change
// of an item that it does not hold, and so on). An error has to be one that what
// just goes wrong explains.
//
// At every rest, when nothing goes wrong any more and each phone has synchronized
// until there is no news: every phone has just the folders that the server has,
// under their names, and holds in them just the objects that the server holds
// within its filter, with title, time, state, side property and renamed
// occurrences as they are there. The server holds nothing that nobody made, nothing
// twice, nothing that was deleted, everything that was not, and nothing that a
// phone wrote where it may not. Every content line of every object that no edit
// touched is what it was at the rest before, in its place (Radicale, which writes
// objects in an order of its own, may change that), wherever it was moved; what was
// moved is in one folder, and in no other; only REV, DTSTAMP,
// LAST-MODIFIED, SEQUENCE and CREATED are left out, which edits have to change. A
// phone that asks once more gets an empty answer, and its Ping lasts to the end. In
// calm storms, where the bridge knows what came of everything, no phone is told of
// an object that nobody else touched.
//
// Of mail: every message is in one folder, the one where it was or to which somebody
// took it, and nowhere only if somebody deleted it. Its bytes never change, unless a
// draft was edited; its keywords that nobody touched stay, read mark, follow-up and
// category are what somebody made of them last; and each phone holds the messages of
// its window, in these folders, with these flags. A mail of which a phone was told
// that it is out was taken by the mail system once, and of which it was told that it
// is not, never; but where the bridge did not hear whether the mail system took it,
// that may be otherwise, and there is one message in the inbox that says so: see
// package outbox. Of a Worker that was killed just after the mail system said that it took a
// mail nobody can say from outside whether it heard: then that message may be there.
// No mail goes out twice. The copy of a mail, the mark of what it answers, and the draft that became one may be missing, or be left, where something
// went wrong when the mail was out: the mail is what counts, and phones are not told
// of the rest.
//
// # What may be lost, and why
//
// Title, side property (a contact's company, an event's location) and time (or
// whether a task is done) are edited apart, and edits of one by one person and of
// another one by another person both survive. Where several people edited the same
// one since the last rest, somebody's last edit is what has to be left. Beside that,
// and only that, may happen:
//
//   - Who edits one property together with somebody else, and another one alone,
//     may lose the other one, too: what a phone sends together may be refused
//     together.
//   - Of an occurrence that several people edited since the last rest, any of
//     their edits may be what stayed.
//   - The desktop writes whole objects. What a phone did between its reading and
//     its writing, when several things happen at once, may be lost: any such
//     program does that.
//   - A phone that rebuilds its requests may lose an edit to an earlier one of its
//     own which the server stored and could not say so, for the later one comes as
//     another edit of something that the phone was never told.
//   - What was refused as too large may be there or not: an earlier try, whose
//     answer was lost, may have brought it.
//   - What was deleted before its maker knew that it had arrived may come back
//     with the maker's next try.
//   - What was edited or deleted in a folder out of which somebody else had moved
//     it is refused, or unheard if the folder is gone: the edit may be lost, and the
//     deletion, too. No more may what its maker does not know to have arrived be
//     moved by others: the maker's next try would make it again.
//   - What is deleted while a move copies it is there twice at that moment, and who
//     deletes one of the two may meet the other one again.
//   - A collection shows empty only once between two rests, and only with enough
//     in it: a server that says twice, with ten minutes in between, that nothing
//     is there has to be believed, and a few items are not worth the doubt.
//
// # Seeds
//
// The time is that of [testing/synctest], so that waiting costs nothing, unless
// processes take part; what is random comes from the seed. Where several things
// happen at once, their order is the scheduler's; everything else is the same each
// time. A storm that finds something is repeated with
//
//	go test ./bridge/bridgetest/storm -run 'Storm$' -storm.seed 17 -storm.steps 200
//
// and shortened by fewer steps. Long ones, in memory and with processes, say every
// minute how far they are, go on after a seed that found something, and say the
// sum at the end:
//
//	go test ./bridge/bridgetest/storm -run Long -storm.for 1h -timeout 2h
//	go test ./bridge/bridgetest/storm -run Long -storm.for 1h -storm.mail -timeout 2h
//	go test ./bridge/bridgetest/storm -run WorkerLasts -storm.for 1h -timeout 2h
//
// The latter plays against localdir, Radicale, and localdir with Dovecot, in turn, and with -storm.mail
// against the last only.
package storm
