package admin

// What can be asked and ordered. A path keeps its meaning for ever; what is to
// mean something else gets another version.
var (
	OpStatus = op(get("status", "/v1/status", "how the worker and its backends are", staff), (*Server).status)

	OpTop = op(get("top", "/v1/top", "what the worker does at this moment, and its last events", staff), (*Server).top)

	OpDevices   = op(own(get("devices.list", "/v1/devices", "the phones, of everybody or of one person", staff)), (*Server).devices)
	OpDevice    = op(own(get("devices.show", "/v1/device", "everything that is known of a phone", staff)), (*Server).device)
	OpFolders   = op(own(get("folders.list", "/v1/folders", "a person's folders, and what each phone has of them", staff)), (*Server).folders)
	OpProblems  = op(own(get("problems.list", "/v1/problems", "objects that cannot be shown to phones", staff)), (*Server).problems)
	OpHeartbeat = op(own(get("heartbeat.show", "/v1/heartbeat", "how long a phone's waits live", staff)), (*Server).heartbeat)
	OpResync    = op(own(post("resync", "/v1/resync", "has a phone load a folder, or everything, anew", helpers, Orders)), (*Server).resync)
	OpRename    = op(own(post("devices.rename", "/v1/rename", "gives a name to a phone, in place of what it says of itself", helpers, Changes)), (*Server).rename)
	OpServices  = op(own(get("services.list", "/v1/services", "whether the servers answer that phones get things from", staff)), (*Server).servicesNow)
	OpForget    = op(own(post("devices.forget", "/v1/forget", "drops what is known of a phone", support, Orders)), (*Server).forget)

	OpHolds   = op(get("brake.list", "/v1/holds", "large deletions that are held", staff), (*Server).holds)
	OpRelease = op(post("brake.release", "/v1/holds/release", "lets a large deletion pass", append(support, ServerAdministrator), Orders), (*Server).release)

	OpPush     = op(own(get("push.show", "/v1/push", "what may wake a phone", staff)), (*Server).push)
	OpSetPush  = op(own(post("push.set", "/v1/push/set", "says what may wake a phone", helpers, Changes)), (*Server).setPush)
	OpChoices  = op(own(get("choices.list", "/v1/choices", "which folders were chosen for a person's phones", staff)), (*Server).choices)
	OpChoose   = op(own(post("choices.add", "/v1/choices/add", "shows folders on phones, or hides them", helpers, Changes)), (*Server).choose)
	OpUnchoose = op(own(post("choices.drop", "/v1/choices/drop", "takes such a choice back", helpers, Changes)), (*Server).unchoose)

	OpTrace  = op(post("trace.start", "/v1/trace", "records what a phone and the worker say", append(servers, DeviceSupport), Orders), (*Server).trace)
	OpTraced = op(post("trace.fetch", "/v1/trace/fetch", "what was recorded since the last time", append(servers, DeviceSupport), Streams), (*Server).traced)

	OpWipe       = op(own(post("wipe", "/v1/wipe", "has a phone erase itself or one account, or takes that back", support, Changes)), (*Server).wipe)
	OpExpireWipe = op(post("wipe.expire", "/v1/wipe/expire", "ends an order to erase a phone whose time is over", support, Changes), (*Server).expireWipe)

	OpConfirmWipe = op(post("wipe.confirm", "/v1/wipe/confirm", "is the second person's word that a phone is to be erased", append(support, SecurityAdministrator), Changes), (*Server).confirmWipe)

	OpBlock = op(own(post("devices.block", "/v1/block", "keeps a phone out", support, Changes)), (*Server).block)
	OpAllow = op(post("devices.allow", "/v1/allow", "lets a phone in that was blocked", support, Changes), (*Server).allow)

	OpRecover = op(post("recovery.reveal", "/v1/recovery", "shows a phone's recovery password, and notes to whom", append(helpers[:len(helpers):len(helpers)], SecurityAdministrator), Changes), (*Server).recoverPassword)
	OpRekey   = op(post("recovery.rekey", "/v1/recovery/rekey", "encrypts the recovery passwords with the newest key", secure, Changes), (*Server).rekey)

	OpAudit       = op(get("audit.list", "/v1/audit", "what administrators did, the newest first", auditors), (*Server).audit)
	OpAuditExport = op(get("audit.export", "/v1/audit/export", "what administrators did, in order", auditors), (*Server).auditExport)
	OpAuditVerify = op(get("audit.verify", "/v1/audit/verify", "whether the chain of the audit is whole", auditors), (*Server).auditVerify)

	OpPolicy       = op(get("policy.show", "/v1/policy", "what is asked of phones of whom nothing else is asked", staff), (*Server).policy)
	OpPolicies     = op(get("policies.list", "/v1/policies", "the policies, and whom they are for", staff), (*Server).policies)
	OpPolicyEdit   = op(large(post("policies.edit", "/v1/policies/edit", "changes policies, and whom they are for", devices, Changes)), (*Server).editPolicies)
	OpPolicyWhatIf = op(large(post("policies.what-if", "/v1/policies/what-if", "what such a change would mean for phones", staff, Reads)), (*Server).whatIf)
	OpPolicyResult = op(own(get("policies.result", "/v1/policies/result", "what is asked of a phone, and why", staff)), (*Server).policyResult)

	OpGroups      = op(get("groups.list", "/v1/groups", "the groups and their members", staff), (*Server).groups)
	OpGroupEdit   = op(large(post("groups.edit", "/v1/groups/edit", "makes, changes or deletes a group", devices, Changes)), (*Server).editGroup)
	OpMemberships = op(own(get("groups.of", "/v1/groups/of", "the groups that a person belongs to", staff)), (*Server).memberships)

	OpAdmission    = op(get("admission.show", "/v1/admission", "who may come in", staff), (*Server).admission)
	OpSetAdmission = op(large(post("admission.set", "/v1/admission/set", "says who may come in", devices, Changes)), (*Server).setAdmission)
	OpQueue        = op(get("admission.queue", "/v1/admission/queue", "phones that wait to be let in", staff), (*Server).queue)
	OpPeople       = op(own(get("people.list", "/v1/people", "people, how many phones they have and may have", staff)), (*Server).people)
	OpSetPerson    = op(post("people.set", "/v1/people/set", "switches mobile access of a person off and on, and bounds their phones", support, Changes), (*Server).setPerson)
	OpBlockList    = op(get("blocklist.list", "/v1/blocklist", "DeviceIds that are refused whoever uses them", staff), (*Server).blockList)
	OpSetListed    = op(post("blocklist.set", "/v1/blocklist/set", "puts a DeviceId on the block list, or takes it off", append(support, SecurityAdministrator), Changes), (*Server).setListed)

	OpAdministrators = op(get("administrators.list", "/v1/administrators", "who may sign in, and as what", managers), (*Server).administrators)
	OpAdministrator  = op(post("administrators.edit", "/v1/administrators/edit", "makes an administrator, or changes their roles, or switches them off", managers, Changes), (*Server).editAdministrator)
	OpDropAdmin      = op(post("administrators.remove", "/v1/administrators/remove", "takes an administrator off the list", managers, Changes), (*Server).removeAdministrator)
	OpSetPassword    = op(post("administrators.password", "/v1/administrators/password", "gives an administrator a password", managers, Orders), (*Server).setPassword)
	OpDropFactor     = op(post("administrators.drop-factor", "/v1/administrators/drop-factor", "has an administrator be asked for no code, who lost their second factor", managers, Changes), (*Server).dropFactor)
	OpSessions       = op(get("sessions.list", "/v1/sessions", "who is signed in", managers), (*Server).sessions)
	OpEndSessions    = op(post("sessions.end", "/v1/sessions/end", "ends sessions of others", managers, Changes), (*Server).endSessions)
	OpTokens         = op(get("tokens.list", "/v1/tokens", "what programs may come in with", managers), (*Server).tokens)
	OpRevokeToken    = op(post("tokens.revoke", "/v1/tokens/revoke", "ends a token of somebody's", managers, Changes), (*Server).revoke)
	OpAccount        = op(get("account.show", "/v1/account", "one's own sessions and tokens", staff), (*Server).account)
	OpChangePassword = op(post("account.password", "/v1/account/password", "changes one's own password", staff, Orders), (*Server).changePassword)
	OpBeginFactor    = op(post("account.factor.begin", "/v1/account/factor", "makes a secret for one's own second factor", staff, Orders), (*Server).beginFactor)
	OpConfirmFactor  = op(post("account.factor.confirm", "/v1/account/factor/confirm", "has codes be asked for, from this one on", staff, Changes), (*Server).confirmFactor)
	OpDropOwnFactor  = op(post("account.factor.drop", "/v1/account/factor/drop", "has no code be asked for any more", staff, Orders), (*Server).dropOwnFactor)
	OpNewToken       = op(post("account.token.new", "/v1/account/tokens/new", "makes a token of one's own", staff, Orders), (*Server).newToken)
	OpRevokeOwnToken = op(post("account.token.revoke", "/v1/account/tokens/revoke", "ends a token of one's own", staff, Changes), (*Server).revokeOwn)
	OpEndOwnSessions = op(post("account.sessions.end", "/v1/account/sessions/end", "ends sessions of one's own", staff, Changes), (*Server).endOwn)
)
