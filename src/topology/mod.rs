//! Texts to facts about addresses, and facts to roles.
