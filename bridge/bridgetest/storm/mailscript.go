package storm

import "slices"

// mailDeeds are the steps with mail, beside which the others go on.
var mailDeeds = []deed{
	{10, false, func(w *world) { w.mail.deliver() }},
	{14, false, func(w *world) { w.mail.desktopActs() }},
	{22, false, func(w *world) { w.any().mark() }},
	{7, false, func(w *world) { w.any().discardMail() }},
	{7, false, func(w *world) { w.any().moveMail() }},
	{8, false, func(w *world) { w.any().send() }},
	{7, false, func(w *world) { w.any().answer() }},
	{8, false, func(w *world) { w.any().writeDraft() }},
	{8, false, func(w *world) { w.any().editDraft() }},
	{8, false, func(w *world) { w.any().sendDraft() }},
	{20, false, func(w *world) { w.any().sync() }},
	{10, false, func(w *world) { w.any().syncMail() }},
	{2, false, func(w *world) { w.any().waitForMail() }},
}

// postDeeds are mailDeeds where mail goes out by way of processes that are killed: with
// more of it.
var postDeeds = slices.Concat(mailDeeds, []deed{
	{14, false, func(w *world) { w.any().send() }},
	{10, false, func(w *world) { w.any().answer() }},
	{12, false, func(w *world) { w.any().sendDraft() }},
})

// today are the steps of one kind: in a storm with mail one of two is with mail.
func (w *world) today() []deed {
	if w.mail != nil && w.rng.IntN(2) == 0 {
		if w.options.Mailhouse != nil {
			return postDeeds
		}
		return mailDeeds
	}
	return deeds
}
