//! Console passwords of users.
//!
//! Hashing takes some tens of milliseconds, so it is done ahead of the transaction, and the
//! transaction only puts the result where it belongs.

use std::sync::Arc;

use bailiwick_model::{LoginProfile, Record, RecordKey, User};
use bailiwick_wire::generated::iam as api;
use bailiwick_wire::{Empty, Secret};

use crate::ask::Ask;
use crate::call::{Call, Permitted};
use crate::caller::Identity;
use crate::fault::Fault;
use crate::operation::{Entry, Operation, entry};
use crate::signin::{self, Asker};

use super::password;
use super::user::{self, Subject};

pub(super) const OPERATIONS: &[Entry] = &[
    entry::<CreateLoginProfile>(),
    entry::<GetLoginProfile>(),
    entry::<UpdateLoginProfile>(),
    entry::<DeleteLoginProfile>(),
    entry::<ChangePassword>(),
];

/// A user's profile, or `NoSuchEntity` in AWS's words (*observed*).
fn profile_of(call: &Call<'_>, user: &User) -> Result<Arc<LoginProfile>, Fault> {
    call.account().login_profile(&user.id).cloned().ok_or_else(|| {
        Fault::new("NoSuchEntity", format!("Login Profile for User {} cannot be found.", user.name))
    })
}

fn describe(user: &User, profile: &LoginProfile) -> api::LoginProfile {
    api::LoginProfile {
        user_name: user.name.to_string(),
        create_date: profile.created,
        password_reset_required: Some(profile.reset_required),
    }
}

/// A new password and, once it is prepared, its hash or what is wrong with it.
struct NewPassword {
    plain: Secret,
    hash: Option<Result<String, Fault>>,
    /// The hashes of earlier passwords that it was found not to fit.
    differs: Vec<String>,
}

impl NewPassword {
    fn new(plain: Secret) -> Self {
        Self { plain, hash: None, differs: Vec::new() }
    }

    /// Hashes it, if it is good enough: a bad one is not worth the time, and is told of by
    /// [`NewPassword::accepted`].
    fn prepare(&mut self, call: &Call<'_>, profile: Option<&LoginProfile>) {
        let last: Vec<String> = not_again(call, profile).cloned().collect();
        self.hash = Some(
            self.check(call)
                .and_then(|()| call.node().settings().known_passwords.check(&self.plain))
                .and_then(|()| password::check_reuse(&self.plain, last.iter()))
                .and_then(|()| {
                    let mut salt = [0; 16];
                    call.entropy().fill(&mut salt);
                    password::hash(&self.plain, salt)
                }),
        );
        self.differs = last;
    }

    fn check(&self, call: &Call<'_>) -> Result<(), Fault> {
        let policy = call.account().settings().password_policy.as_ref();
        password::check(&self.plain, call.account().info(), policy)
    }

    /// The hash, if the password is good enough. Asked for last, after the user and its profile
    /// were found, so that the faults come in AWS's order.
    fn accepted(
        &self,
        call: &Call<'_>,
        user: &User,
        profile: Option<&LoginProfile>,
    ) -> Result<String, Fault> {
        self.check(call)?;
        let hash = self.hash.clone().unwrap_or_else(|| Err(Fault::internal()))?;
        if not_again(call, profile).all(|hash| self.differs.contains(hash)) {
            Ok(hash)
        } else {
            Err(changed_meanwhile(user))
        }
    }
}

/// The hashes of the passwords that the account's policy does not let be set again.
fn not_again<'a>(
    call: &'a Call<'_>,
    profile: Option<&'a LoginProfile>,
) -> impl Iterator<Item = &'a String> {
    let policy = call.account().settings().password_policy.as_ref();
    let count = policy.and_then(|policy| policy.reuse_prevention).unwrap_or(0);
    profile.into_iter().flat_map(move |profile| profile.last(count.into()))
}

/// Somebody set another password, or another policy, since the new one was looked at.
fn changed_meanwhile(user: &User) -> Fault {
    Fault::new(
        "EntityTemporarilyUnmodifiable",
        format!("Login Profile for User {} was changed meanwhile.", user.name),
    )
}

/// Gives a user a password for the console.
struct CreateLoginProfile {
    user: Option<String>,
    password: NewPassword,
    reset_required: bool,
}

impl Operation for CreateLoginProfile {
    type Api = api::CreateLoginProfile;
    const HEAVY: bool = true;

    fn parse(request: api::CreateLoginProfileRequest) -> Result<Self, Fault> {
        // The model lets it be absent for the sessions of AssumeRoot alone.
        let password = request.password.ok_or_else(|| {
            Fault::validation(
                "1 validation error detected: Value at 'password' failed to satisfy constraint: \
                 Member must not be null",
            )
        })?;
        Ok(Self {
            user: request.user_name,
            password: NewPassword::new(password),
            reset_required: request.password_reset_required.unwrap_or(false),
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn prepare(&mut self, call: &Call<'_>) -> Result<(), Fault> {
        self.password.prepare(call, None);
        Ok(())
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::CreateLoginProfileResponse, Fault> {
        let user = Subject::of(call, self.user.as_deref())?.user()?;
        if call.account().login_profile(&user.id).is_some() {
            let taken = format!("Login Profile for user {} already exists.", user.name);
            return Err(Fault::new("EntityAlreadyExists", taken));
        }
        let profile = Arc::new(LoginProfile {
            user: user.id,
            created: call.now(),
            changed: call.now(),
            hash: self.password.accepted(call, &user, None)?,
            reset_required: self.reset_required,
            previous: Vec::new(),
        });
        call.create(Record::LoginProfile(Arc::clone(&profile)));
        Ok(api::CreateLoginProfileResponse { login_profile: describe(&user, &profile) })
    }
}

/// Tells whether and since when a user has a password.
struct GetLoginProfile {
    user: Option<String>,
}

impl Operation for GetLoginProfile {
    type Api = api::GetLoginProfile;

    fn parse(request: api::GetLoginProfileRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<api::GetLoginProfileResponse, Fault> {
        let user = Subject::of(call, self.user.as_deref())?.user()?;
        let profile = profile_of(call, &user)?;
        Ok(api::GetLoginProfileResponse { login_profile: describe(&user, &profile) })
    }
}

/// Sets a user's password, or whether it must be changed at the next sign-in, or both. What the
/// request leaves out stays.
struct UpdateLoginProfile {
    user: String,
    password: Option<NewPassword>,
    reset_required: Option<bool>,
}

impl Operation for UpdateLoginProfile {
    type Api = api::UpdateLoginProfile;
    const HEAVY: bool = true;

    fn parse(request: api::UpdateLoginProfileRequest) -> Result<Self, Fault> {
        Ok(Self {
            user: request.user_name,
            password: request.password.map(NewPassword::new),
            reset_required: request.password_reset_required,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![user::ask::<Self>(call, &self.user)])
    }

    fn prepare(&mut self, call: &Call<'_>) -> Result<(), Fault> {
        if let Some(password) = &mut self.password {
            let user = call.account().user_named(&self.user);
            let profile = user.and_then(|user| call.account().login_profile(&user.id));
            password.prepare(call, profile.map(|profile| &**profile));
        }
        Ok(())
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = user::named(call, &self.user)?;
        let mut profile = LoginProfile::clone(&*profile_of(call, &user)?);
        if let Some(password) = &self.password {
            let hash = password.accepted(call, &user, Some(&profile))?;
            profile.set(hash, call.now());
        }
        if let Some(required) = self.reset_required {
            profile.reset_required = required;
        }
        call.update(Record::LoginProfile(Arc::new(profile)));
        Ok(Empty)
    }
}

/// Takes a user's password away. Its access keys go on working.
struct DeleteLoginProfile {
    user: Option<String>,
}

impl Operation for DeleteLoginProfile {
    type Api = api::DeleteLoginProfile;

    fn parse(request: api::DeleteLoginProfileRequest) -> Result<Self, Fault> {
        Ok(Self { user: request.user_name })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![Subject::of(call, self.user.as_deref())?.ask::<Self>(call)])
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = Subject::of(call, self.user.as_deref())?.user()?;
        let profile = profile_of(call, &user)?;
        call.remove(&RecordKey::LoginProfile(profile.user));
        Ok(Empty)
    }
}

/// Changes the caller's own password, if it knows the old one.
struct ChangePassword {
    old: Secret,
    new: NewPassword,
    /// The stored hash that the old password fits, once that was found out.
    proved: Option<String>,
}

impl ChangePassword {
    /// Refuses the same password where it must be changed: whoever set it would go on knowing it.
    ///
    /// `Deviation:` AWS documents this only as a part of reuse prevention.
    fn require_another(&self, call: &Call<'_>, profile: &LoginProfile) -> Result<(), Fault> {
        let policy = call.account().settings().password_policy.as_ref();
        let must = profile.reset_required || profile.is_expired(policy, call.now());
        if must && self.old.expose() == self.new.plain.expose() {
            return Err(Fault::new(
                "PasswordPolicyViolation",
                "The new password must differ from the one that must be changed.",
            ));
        }
        Ok(())
    }

    /// The calling user as of this state. Root has another way to change its password, and a role
    /// has none.
    fn user(call: &Call<'_>) -> Result<Arc<User>, Fault> {
        match &call.caller().identity {
            Identity::User(user) => call
                .account()
                .user(&user.id)
                .cloned()
                .ok_or_else(|| Fault::no_such_user(user.name.as_str())),
            Identity::Root | Identity::Role(..) | Identity::Federated(..) => {
                Err(Fault::new("InvalidUserType", "Only IAM Users can change their own password."))
            }
        }
    }
}

impl Operation for ChangePassword {
    type Api = api::ChangePassword;
    const HEAVY: bool = true;

    fn parse(request: api::ChangePasswordRequest) -> Result<Self, Fault> {
        Ok(Self {
            old: request.old_password,
            new: NewPassword::new(request.new_password),
            proved: None,
        })
    }

    fn asks(&self, call: &Call<'_>) -> Result<Vec<Ask>, Fault> {
        Ok(vec![user::ask_about::<Self>(call, &*Self::user(call)?)])
    }

    fn prepare(&mut self, call: &Call<'_>) -> Result<(), Fault> {
        let profile = profile_of(call, &*Self::user(call)?)?;
        let (guesses, store) = (call.node().passwords(), call.node().store());
        let counted = signin::counted(call.account().id(), profile.user, Asker::Own);
        guesses.begin(store, &counted.who, counted.daily, call.now())?.wait()?;
        if !password::verify(&self.old, &profile.hash) {
            return Err(Fault::access_denied("The old password was incorrect."));
        }
        guesses.right(store, &counted.who);
        self.require_another(call, &profile)?;
        self.proved = Some(profile.hash.clone());
        self.new.prepare(call, Some(&profile));
        Ok(())
    }

    fn run(&self, call: &mut Permitted<'_>) -> Result<Empty, Fault> {
        let user = Self::user(call)?;
        let profile = profile_of(call, &user)?;
        if self.proved.as_ref() != Some(&profile.hash) {
            return Err(changed_meanwhile(&user));
        }
        let hash = self.new.accepted(call, &user, Some(&profile))?;
        let mut profile = LoginProfile::clone(&profile);
        profile.set(hash, call.now());
        profile.reset_required = false;
        call.update(Record::LoginProfile(Arc::new(profile)));
        Ok(Empty)
    }
}
