package account

// Remembered is how many right passwords are remembered.
func Remembered(a *Accounts) int { return a.good.Len() }
